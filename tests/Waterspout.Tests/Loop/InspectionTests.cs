using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Authentication;
using Waterspout.Reads;
using Waterspout.Testing;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>What a loop says of its streams.</summary>
[OnEachPoller]
public sealed class InspectionTests : ManualLoopTest
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_stream_is_listed_with_what_it_is_and_how_old() => RunManually(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket peer = right;
        IOStream stream = new(left);
        await Advance(90 * s_second);
        StreamInfo info = Assert.Single(Loop.GetStreams());
        Assert.Equal(($"{stream}", nameof(IOStream), StreamPhase.Open), (info.Name, info.Kind, info.Phase));
        Assert.Equal((stream.LocalEndPoint, stream.RemoteEndPoint), (info.LocalEndPoint, info.RemoteEndPoint));
        AssertNear(90 * s_second, info.Age);
        Assert.Null(info.SinceProgress);
        Assert.Equal("It is idle: nothing has arrived, and the handler neither reads nor writes.", info.Explanation);
        Assert.Equal($"{info.Name}: {info.Explanation}", info.ToString());
    });

    [Fact]
    public void A_peer_that_does_not_send_is_named_with_the_read_that_waits() => RunPair(async (stream, peer) =>
    {
        await peer.WriteAsync("line\npart"u8);
        await stream.ReadUntilAsync("\n"u8);
        await Advance(10 * s_second);
        _ = stream.ReadUntilAsync("\n"u8).AsTask().ContinueWith(task => task.Exception, TaskScheduler.Default);
        await Advance(3 * s_second);
        StreamInfo info = Of(stream);
        Assert.Equal(("ReadUntilAsync", 4, 9, 0), (info.PendingRead, info.ReadBuffered, info.BytesReceived, info.BytesSent));
        AssertNear(3 * s_second, info.PendingReadTime);
        AssertNear(13 * s_second, info.SinceProgress);
        Assert.Equal("The peer has not sent enough: ReadUntilAsync has 4 bytes, and has waited for 3.0 s.", info.Explanation);
        info = Of(peer);
        Assert.Equal((0, 9), (info.BytesReceived, info.BytesSent));
        stream.Close();
    });

    [Fact]
    public void A_wait_is_timed_from_its_beginning_however_long_the_loop_slept_before() => RunPair(async (stream, peer) =>
    {
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        await Advance(100 * s_second);
        await peer.WriteAsync("x"u8);
        await read;
        await Advance(s_second);
        AssertNear(s_second, Of(stream).SinceProgress);
    });

    [Fact]
    public void A_peer_that_does_not_read_is_named_with_what_waits_and_since_when() => RunPair(async (stream, peer) =>
    {
        ExpectUnsent();
        Task write = stream.WriteAsync(new byte[4 * 1024 * 1024].AsMemory()).AsTask();
        await Turns(20);
        await Advance(5 * s_second);
        await peer.ReadBytesAsync(256 * 1024);
        await Turns(20);
        await Advance(2 * s_second);
        StreamInfo info = Of(stream);
        Assert.Equal(4 * 1024 * 1024, info.WriteBuffered + info.BytesSent);
        AssertNear(7 * s_second, info.PendingWriteTime);
        AssertNear(2 * s_second, info.BlockedTime);
        Assert.True(info.SystemWriteBuffered > 0);
        Assert.StartsWith("The peer does not read: ", info.Explanation);
        Assert.EndsWith(" bytes wait to be sent, and none was accepted for 2.0 s.", info.Explanation);
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
    });

    [Fact]
    public void A_handler_that_does_not_read_is_named_with_what_has_arrived() => RunPair(async (stream, peer) =>
    {
        await peer.WriteAsync("unread"u8);
        await peer.FlushAsync();
        StreamInfo info = Of(stream);
        Assert.Equal((0, 6), (info.ReadBuffered, info.SystemReadBuffered));
        Assert.Equal("The handler does not read: 6 bytes have arrived.", info.Explanation);
        string? within = null;
        await stream.ReadBytesAsync(6, _ => within = Of(stream).Explanation);
        Assert.Equal("The handler is using what has arrived.", within);
    });

    [Fact]
    public void A_handler_that_is_passed_parts_is_using_them() => RunPair(async (stream, peer) =>
    {
        TaskCompletionSource read = new();
        List<string> within = [];
        stream.ReadBytes(12, _ => read.SetResult(), _ => within.Add(Of(stream).Explanation));
        await peer.WriteAsync("part"u8);
        await Turns(5);
        await peer.WriteAsync("and rest"u8);
        await read.Task;
        Assert.Equal(["The handler is using what has arrived.", "The handler is using what has arrived."], within);
    });

    [Fact]
    public void A_peer_that_has_not_taken_all_is_named_beside_the_read() => RunPair(async (stream, peer) =>
    {
        await stream.WriteAsync("question"u8);
        await stream.FlushAsync();
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        await Advance(s_second);
        Assert.Equal("The peer does not send: ReadBytesAsync has waited for 1.0 s, and the peer has not taken all that was sent.", Of(stream).Explanation);
        await peer.ReadBytesAsync(8);
        Assert.Equal("The peer does not send: ReadBytesAsync has waited for 1.0 s.", Of(stream).Explanation);
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
    });

    [Fact]
    public void A_stream_that_another_thread_has_closed_is_not_listed() => RunPair((stream, peer) =>
    {
        Thread other = new(() => stream.Close());
        other.Start();
        other.Join();
        Assert.Equal([$"{peer}"], Loop.GetStreams().Select(static info => info.Name));
        return Task.CompletedTask;
    });

    [Fact]
    public void A_handshake_says_what_it_waits_for_and_what_it_has_negotiated() => RunManually(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslIOStream server = new(left, TestCertificates.ServerOptions());
        await Advance(2 * s_second);
        StreamInfo info = Of(server);
        Assert.Equal((StreamPhase.Handshake, HandshakeWait.Peer, SslProtocols.None), (info.Phase, info.HandshakeWait, info.SslProtocol));
        Assert.Equal("Its TLS handshake waits for the peer, and began 2.0 s ago.", info.Explanation);
        SslIOStream client = new(right, TestCertificates.ClientOptions());
        await client.WaitForHandshakeAsync();
        await server.WaitForHandshakeAsync();
        info = Of(server);
        Assert.Equal((StreamPhase.Open, HandshakeWait.None), (info.Phase, info.HandshakeWait));
        Assert.Equal((server.SslProtocol, server.CipherSuite), (info.SslProtocol, info.CipherSuite));
    });

    [Fact]
    public void A_handshake_without_a_place_says_so() => RunManually(async () =>
    {
        IOStreamOptions options = new() { MaxHandshakes = 1 };
        (Socket left, Socket one) = SocketPair.Tcp();
        (Socket right, Socket other) = SocketPair.Tcp();
        using SslIOStream first = new(left, TestCertificates.ClientOptions(), options);
        using SslIOStream second = new(right, TestCertificates.ClientOptions(), options);
        await NextTurn();
        Assert.Equal(HandshakeWait.Place, Of(second).HandshakeWait);
        Assert.StartsWith("Its TLS handshake waits until others are done", Of(second).Explanation);
        one.Dispose();
        other.Dispose();
    });

    [Fact]
    public void Streams_are_listed_from_their_creation_to_their_close() => RunManually(async () =>
    {
        using TestListener listener = new();
        IOStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        Assert.Equal(StreamPhase.New, Of(stream).Phase);
        TaskCompletionSource<IPAddress[]> lookup = new();
        ValueTask connecting = stream.ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)listener.EndPoint).Port));
        Assert.Equal(StreamPhase.Connecting, Of(stream).Phase);
        await connecting;
        using Socket accepted = listener.Accept();
        Assert.Equal(StreamPhase.Open, Of(stream).Phase);
        ValueTask closing = stream.CloseAsync();
        await NextTurn();
        Assert.Equal(StreamPhase.Closing, Of(stream).Phase);
        Assert.Equal("It is closing, and waits for the peer to close too.", Of(stream).Explanation);
        Assert.Null(Of(stream).PendingRead);
        accepted.Dispose();
        await closing;
        Assert.Empty(Loop.GetStreams());
    });

    [Fact]
    public void The_connection_of_AsDuplexPipe_is_listed_with_the_bytes_of_both() => RunPair(async (stream, peer) =>
    {
        await peer.WriteAsync("line\n"u8);
        await stream.ReadUntilAsync("\n"u8);
        IDuplexPipe pipe = stream.AsDuplexPipe();
        ValueTask<ReadResult> read = pipe.Input.ReadAsync();
        await Advance(4 * s_second);
        StreamInfo info = Of(stream);
        Assert.Equal("IOStream.AsDuplexPipe", info.Kind);
        Assert.Equal("The peer does not send: PipeReader.ReadAsync has waited for 4.0 s.", info.Explanation);
        await peer.WriteAsync("more"u8);
        await read;
        await pipe.Output.WriteAsync("answer"u8.ToArray());
        await peer.ReadBytesAsync(6);
        info = Of(stream);
        Assert.Equal((9, 6, 4), (info.BytesReceived, info.BytesSent, info.ReadBuffered));
        Assert.True(info.SinceProgress < s_second);
        pipe.Output.Complete();
        pipe.Input.Complete();
    });

    [Fact]
    public void Streams_in_memory_are_listed_too() => RunManually(async () =>
    {
        (MemoryIOStream left, MemoryIOStream right) = MemoryIOStream.CreatePair();
        Task<byte[]> read = right.ReadBytesAsync(1).AsTask();
        await Advance(s_second);
        Assert.Equal("The peer does not send: ReadBytesAsync has waited for 1.0 s.", Of(right).Explanation);
        left.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
    });

    [Fact]
    public void Each_read_has_the_name_of_the_method_that_users_call()
    {
        Type[] kinds = [.. typeof(ReadOperation).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ReadOperation)) && !type.IsAbstract)];
        Assert.NotEmpty(kinds);
        Assert.All(kinds, kind =>
        {
            Type made = kind.IsGenericTypeDefinition ? kind.MakeGenericType(typeof(int)) : kind;
            string name = ((ReadOperation)Activator.CreateInstance(made, nonPublic: true)!).Name;
            Assert.Contains(typeof(BaseIOStream).GetMethods(BindingFlags.Instance | BindingFlags.Public), method => method.Name == name);
        });
    }

    private static void AssertNear(TimeSpan expected, TimeSpan? actual) =>
        Assert.InRange(actual!.Value, expected - TimeSpan.FromMilliseconds(20), expected + TimeSpan.FromMilliseconds(20));

    private StreamInfo Of(BaseIOStream stream) => Assert.Single(Loop.GetStreams(), info => info.Name == $"{stream}");

    private void RunPair(Func<IOStream, IOStream, Task> body) => RunManually(async () =>
    {
        (IOStream stream, IOStream peer) = IOStream.CreatePair();
        await body(stream, peer);
    });
}
