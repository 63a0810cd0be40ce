using System.Net;
using System.Net.Sockets;
using System.Text;
using Waterspout.Interop;
using Waterspout.Testing;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>A stream and its descriptor, while others have the same socket, or get the same number later.</summary>
[OnEachPoller]
public sealed class DescriptorOwnerTests : LoopTest
{
    public static TheoryData<string> Kinds => ["pair", "accepted", "connected", "from a socket", "TLS", "upgraded"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_socket_of_a_closed_stream_is_refused(string kind) => Run(async () =>
    {
        (IOStream stream, BaseIOStream peer) = await MakeAsync(kind);
        int number = NumberOf(stream);
        stream.Close();
        List<IDisposable> strangers = TakeNumber(number, out Socket stranger, out Socket strangersPeer);

        Assert.Throws<ObjectDisposedException>(() => stream.Socket.Close());
        stream.SetNoDelay(false);
        await AssertConnected(stranger, strangersPeer);
        DisposeAll([peer, .. strangers]);
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_socket_that_was_asked_for_is_disposed_with_the_stream(string kind) => Run(async () =>
    {
        (IOStream stream, BaseIOStream peer) = await MakeAsync(kind);
        Socket socket = stream.Socket;
        Assert.Same(socket, stream.Socket);
        stream.Close();
        Assert.True(socket.SafeHandle.IsClosed);
        peer.Dispose();
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_socket_disposed_elsewhere_leaves_its_stream_alone(string kind) => Run(async () =>
    {
        (IOStream stream, BaseIOStream peer) = await MakeAsync(kind);
        int number = (int)stream.Socket.Handle;
        stream.Socket.Dispose();
        List<IDisposable> strangers = TakeNumber(number, out Socket stranger, out Socket strangersPeer);

        await stream.WriteAsync("SECRET"u8);
        await stream.FlushAsync();
        Assert.Equal("SECRET", Encoding.ASCII.GetString(await peer.ReadBytesAsync(6)));
        Assert.Equal(0, strangersPeer.Available);
        stream.Close();
        await AssertConnected(stranger, strangersPeer);
        DisposeAll([peer, .. strangers]);
    });

    [Fact]
    public void A_pipe_stream_over_a_sockets_handle_does_not_hold_up_its_other_owner() => Run(async () =>
    {
        (Socket socket, Socket peer) = StreamPair.CreateTcpSockets();
        PipeIOStream stream = new(socket.SafeHandle);
        await Task.Run(socket.Dispose).WaitAsync(Limit);
        await stream.WriteAsync("x"u8);
        await stream.FlushAsync();
        Assert.Equal(1, peer.Receive(new byte[10]));
        stream.Close();
        Assert.Equal(0, peer.Receive(new byte[10]));
        peer.Dispose();
    });

    [Fact]
    public void The_mode_of_a_connected_socket_is_left_alone() => Run(() =>
    {
        (IOStream stream, IOStream peer) = StreamPair.CreateTcp();
        Assert.Equal(0, FileDescriptors.GetStatusFlags(new Descriptor(NumberOf(stream))).Value & LibC.O_NONBLOCK);
        stream.Close();
        peer.Close();
        return Task.CompletedTask;
    });

    [Fact]
    public void A_plain_stream_that_was_upgraded_has_no_part_in_the_descriptor() => Run(async () =>
    {
        (IOStream client, IOStream server) = StreamPair.CreateTcp();
        EndPoint? address = client.RemoteEndPoint;
        string name = client.ToString();
        Task<SslIOStream> serving = server.StartTlsAsync(TestCertificates.ServerOptions()).AsTask();
        SslIOStream upgraded = await client.StartTlsAsync(TestCertificates.ClientOptions());
        SslIOStream other = await serving;
        Assert.Equal(name, client.ToString());
        Assert.Equal(name, upgraded.ToString().Replace("SslIOStream", "IOStream"));
        Assert.Throws<ObjectDisposedException>(() => client.Socket);
        Assert.Equal(address, client.RemoteEndPoint);
        client.Close();
        await other.WriteAsync("x"u8);
        Assert.Equal("x"u8.ToArray(), await upgraded.ReadBytesAsync(1));
        upgraded.Close();
        other.Close();
    });

    [Fact]
    public void The_loop_does_not_block_when_a_socket_is_set_to_blocking_mode() => Run(async () =>
    {
        (IOStream stream, IOStream peer) = StreamPair.CreateTcp();
        FileDescriptors.SetStatusFlags(new Descriptor(NumberOf(stream)), 0);
        Task write = stream.WriteAsync(new byte[24 * 1024 * 1024].AsMemory()).AsTask();
        stream.Write([1]);
        await Turns(3);
        Assert.False(write.IsCompleted);
        ValueTask<byte[]> read = stream.ReadBytesAsync(1);
        await Turns(3);
        Assert.False(read.IsCompleted);
        await peer.ReadBytesAsync(24 * 1024 * 1024);
        await peer.WriteAsync("y"u8);
        await read;
        await write;
        stream.Close();
        peer.Close();
    });

    [Theory]
    [InlineData("socket")]
    [InlineData("pipe")]
    [InlineData("TLS")]
    public void A_socket_whose_peer_has_reset_before_gives_what_had_arrived_and_the_reset(string kind) => Run(async () =>
    {
        (Socket peer, Socket accepted) = StreamPair.CreateTcpSockets();
        Descriptor fd = FileDescriptors.Duplicate(Descriptor.Of(accepted.SafeHandle));
        EndPoint? address = accepted.RemoteEndPoint;
        accepted.Dispose();
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        BaseIOStream stream = kind switch
        {
            "pipe" => new PipeIOStream(fd.Number),
            "TLS" => new SslIOStream(FromHandle(fd), TestCertificates.ServerOptions()),
            _ => new IOStream(FromHandle(fd)),
        };
        if (stream is IOStream socket) Assert.Equal(address, socket.RemoteEndPoint);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadBytesAsync(1).AsTask().WaitAsync(Limit));
        // A failed handshake has its own error for it.
        if (kind == "TLS") return;
        Assert.Equal(CloseReason.Reset, error.Reason);
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
    });

    [Fact]
    public void A_connection_has_a_number_of_its_own_and_its_peer_in_its_name() => Run(async () =>
    {
        HashSet<string> numbers = [];
        for (int i = 0; i < 10; i++)
        {
            (IOStream stream, IOStream peer) = StreamPair.CreateTcp();
            string[] words = stream.ToString().Split(' ');
            Assert.Equal(["IOStream", $"{NumberOf(stream)}", words[2], $"{peer.LocalEndPoint}"], words);
            Assert.StartsWith("#", words[2]);
            Assert.True(numbers.Add(words[2]));
            stream.Close();
            peer.Close();
        }

        (IOStream unnamed, IOStream other) = IOStream.CreatePair();
        Assert.Equal(3, unnamed.ToString().Split(' ').Length);
        unnamed.Close();
        other.Close();
        using IOStream unconnected = new(new Socket(SocketType.Stream, ProtocolType.Tcp));
        Assert.Equal(3, unconnected.ToString().Split(' ').Length);
        Assert.Null(unconnected.RemoteEndPoint);
        await Turn();
    });

    [Fact]
    public void A_peer_on_a_Unix_path_is_known_after_the_close() => Run(async () =>
    {
        using TestListener listener = TestListener.OnPath();
        IOStream stream = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        await stream.ConnectAsync(listener.Path);
        Assert.Equal(listener.Path, stream.RemoteEndPoint);
        stream.Close();
        Assert.Equal(listener.Path, stream.RemoteEndPoint);
        Assert.EndsWith($" {listener.Path}", stream.ToString());
        listener.Accept().Dispose();
    });

    private static int NumberOf(IOStream stream) => int.Parse(stream.ToString().Split(' ')[1]);

    private static Socket FromHandle(Descriptor fd) => new(fd.ToSocketHandle());

    private static async Task<(IOStream Stream, BaseIOStream Peer)> MakeAsync(string kind)
    {
        switch (kind)
        {
            case "pair":
                return IOStream.CreatePair();
            case "from a socket":
                return StreamPair.CreateTcp();
            case "accepted":
                (Socket near, Socket far) = StreamPair.CreateTcpSockets();
                IOStream accepted = IOStream.FromAccepted(FileDescriptors.Duplicate(Descriptor.Of(near.SafeHandle)), null, IOLoop.Current);
                near.Dispose();
                return (accepted, new IOStream(far));
            case "connected":
                using (TestListener listener = new())
                    return (await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port), new IOStream(listener.Accept()));
            default:
                (IOStream client, IOStream server) = await MakeTlsAsync(kind == "upgraded");
                return (client, server);
        }
    }

    private static async Task<(IOStream, IOStream)> MakeTlsAsync(bool isUpgraded)
    {
        if (isUpgraded)
        {
            (IOStream plain, IOStream other) = StreamPair.CreateTcp();
            Task<SslIOStream> serving = other.StartTlsAsync(TestCertificates.ServerOptions()).AsTask();
            return (await plain.StartTlsAsync(TestCertificates.ClientOptions()), await serving);
        }

        (Socket client, Socket server) = StreamPair.CreateTcpSockets();
        (SslIOStream, SslIOStream) ends = (new(client, TestCertificates.ClientOptions()), new(server, TestCertificates.ServerOptions()));
        await ends.Item1.WaitForHandshakeAsync();
        await ends.Item2.WaitForHandshakeAsync();
        return ends;
    }

    /// <summary>Opens unrelated connections until one of them has the number, unless it has already been reused.</summary>
    private static List<IDisposable> TakeNumber(int number, out Socket stranger, out Socket peer)
    {
        List<IDisposable> all = [];
        do
        {
            (Descriptor first, Descriptor second) = Sockets.CreatePair();
            (stranger, peer) = first.Number == number ? (FromHandle(first), FromHandle(second)) : (FromHandle(second), FromHandle(first));
            all.AddRange([stranger, peer]);
        }
        while ((int)stranger.Handle != number && all.Count < 100);

        return all;
    }

    private static async Task AssertConnected(Socket first, Socket second)
    {
        await first.SendAsync("still here"u8.ToArray());
        Assert.Equal(10, await second.ReceiveAsync(new byte[10]));
    }

    private static void DisposeAll(IEnumerable<IDisposable> all)
    {
        foreach (IDisposable one in all) one.Dispose();
    }
}
