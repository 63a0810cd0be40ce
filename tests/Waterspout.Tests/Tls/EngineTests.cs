using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

/// <summary>The interaction of a TLS stream, SslStream and the transport underneath.</summary>
[OnEachPoller]
public sealed class EngineTests : TlsTest
{
    [Fact]
    public void What_TLS_itself_has_to_send_does_not_stop_a_write_that_waits() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using StreamWithTransport stream = new(left);
        using SslStream peer = new(new NetworkStream(right));
        await Task.WhenAll(peer.AuthenticateAsServerAsync(TestCertificates.ServerOptions()), stream.WaitForHandshakeAsync().AsTask());
        using IOStream raw = new(right);
        Task write = stream.WriteAsync((ReadOnlyMemory<byte>)new byte[24 * 1024 * 1024]).AsTask();
        Task<byte[]> drain = raw.ReadUntilCloseAsync().AsTask();

        // Like the answer to a key update: it comes when everything has just been sent and the stream has not been notified yet.
        int count = 0;
        while (!write.IsCompleted)
        {
            if (stream.Output.Unsent == 0)
            {
                stream.Output.Write("?"u8);
                count++;
            }

            await Turn();
        }

        await write;
        Assert.NotEqual(0, count);
        raw.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => drain);
    });

    [Fact]
    public void What_was_written_on_another_thread_goes_before_what_the_loop_writes_then() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using PlainTransport transport = new(left);
        using IOStream raw = new(right);
        TransportStream inner = transport.Stream;
        Thread other = new(() =>
        {
            inner.Write("one"u8);
            inner.Write("two"u8);
        });
        other.Start();
        other.Join();
        inner.Write("three"u8);
        Assert.Equal("onetwothree", Text(await raw.ReadBytesAsync(11)));
    });

    [Fact]
    public void A_renegotiation_whose_read_has_waited_stays_on_the_loop() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using PlainTransport transport = new(left);
        using IOStream raw = new(right);
        TransportStream inner = transport.Stream;
        Task<bool> isOnLoop = OuterAsync();
        await raw.WriteAsync("x"u8);
        Assert.True(await isOnLoop);

        // As SslStream does it: tasks within tasks, all without a context.
        async Task<bool> OuterAsync()
        {
            await InnerAsync().ConfigureAwait(false);
            return Loop.IsCurrent;
        }

        async Task InnerAsync() => await inner.ReadAsync(new byte[1]).ConfigureAwait(false);
    });

    [Fact]
    public void The_stream_looks_again_when_the_turn_that_it_waited_for_brings_nothing() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using PlainTransport transport = new(left);
        using IOStream raw = new(right);
        byte[] record = [23, 3, 3, 0, 1, 0];
        byte[] buffer = new byte[100];
        Task<int> first = transport.Stream.ReadAsync(Memory<byte>.Empty).AsTask();
        await raw.WriteAsync([.. record, .. record]);
        await first;
        Assert.Equal(record.Length, await transport.Stream.ReadAsync(buffer));
        Assert.Equal(record.Length, await transport.Stream.ReadAsync(buffer));
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun).TotalMilliseconds < 1;)
        {
            // The stream's time in this turn is used up.
        }

        _ = transport.Stream.ReadAsync(buffer).AsTask();
        Assert.True(transport.Stream.Input.IsDeferred);
        await transport.InVain.Task;
        Assert.False(transport.Stream.Input.IsDeferred);
    });

    [Theory]
    [InlineData(1000)]
    [InlineData(4000)]
    public void What_is_written_in_one_turn_goes_into_full_records(int writeSize) => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using SslIOStream stream = new(left, TestCertificates.ClientOptions());
        using SslStream peer = new(new NetworkStream(right));
        // Without session tickets after the handshake: closing with those unread would be a reset.
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.EnabledSslProtocols = SslProtocols.Tls12;
        await Task.WhenAll(peer.AuthenticateAsServerAsync(options), stream.WaitForHandshakeAsync().AsTask());
        using IOStream raw = new(right);
        for (int i = 0; i < 60_000 / writeSize; i++) _ = stream.WriteAsync(new byte[writeSize].AsSpan());
        await stream.FlushAsync();
        stream.Close();

        byte[] ciphertext = await raw.ReadUntilCloseAsync();
        int records = RecordPosition.All(ciphertext).Count(position => position.Offset == 0);
        Assert.Equal(4, records); // of 16 KiB each, except for the last
    });

    /// <summary>A TLS stream whose ciphertext the test can add to.</summary>
    private sealed class StreamWithTransport(Socket socket) : SslIOStream(TestCertificates.ClientOptions(), null, socket, null, null)
    {
        internal CiphertextOutput Output { get; private set; } = null!;

        private protected override ITlsEngine CreateEngine(Func<SslStream, Task> authenticate)
        {
            SslStreamEngine engine = new(this, authenticate);
            Output = engine.Output;
            return engine;
        }
    }

    /// <summary>A descriptor without a TLS stream: the test is the engine.</summary>
    private sealed class PlainTransport : IOStream, ITransport
    {
        internal PlainTransport(Socket socket)
            : base(socket)
        {
            Stream = new TransportStream(this);
        }

        internal TransportStream Stream { get; }

        bool ITransport.ShortMeansBlocked => true;

        protected override void OnEvents(IOEvents events)
        {
            Stream.Input.Report(events);
            Stream.Input.Continue();
        }

        int? ITransport.Receive(Span<byte> space) => ReadFromFd(space);

        int? ITransport.Send(ReadOnlySpan<byte> data) => WriteToFd(data);

        int? ITransport.Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => WriteToFd(pieces);

        void ITransport.Await(IOEvents events) => AwaitReadiness(events);

        internal TaskCompletionSource InVain { get; } = new();

        void ITransport.OnDeferredInVain() => InVain.SetResult();

        void ITransport.OnSendFailed()
        {
        }
    }
}
