using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>When this side sends close_notify. The peer is SslStream on its own thread, which shows the records.</summary>
[OnEachPoller]
public sealed class CloseNotifyTests : TlsTest
{
    private const int Piece = 1000;
    private static readonly IOStreamOptions s_halfOpen = new() { AllowHalfOpen = true };

    public enum Closing
    {
        CloseAsync,
        DisposeAsync,
        Close,
        Dispose,
        EndOfStream,
        CompleteWrites,
    }

    public static TheoryData<SslProtocols, Closing> WaysBehindThePeersEnd => new MatrixTheoryData<SslProtocols, Closing>(
        [SslProtocols.Tls12, SslProtocols.Tls13],
        Enum.GetValues<Closing>());

    [Theory]
    [MemberData(nameof(WaysBehindThePeersEnd))]
    public void Every_close_answers_the_peers_close_notify(SslProtocols protocol, Closing closing) => RunWithPeer(protocol, closing == Closing.EndOfStream ? null : s_halfOpen, async (stream, peer) =>
    {
        await peer.SendAsync("request", isLast: true);
        Assert.Equal("request", Text(await stream.ReadUntilCloseAsync()));
        if (closing != Closing.EndOfStream) stream.Write("answer"u8);
        await CloseAsync(stream, closing);
        Assert.Equal(closing == Closing.EndOfStream ? "" : "answer", await peer.ReadToEndAsync());
        Assert.True(peer.WasEndTold, "There was no close_notify.");
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void An_orderly_close_sends_close_notify_first(SslProtocols protocol) => RunWithPeer(protocol, null, async (stream, peer) =>
    {
        stream.Write("all"u8);
        Task close = stream.CloseAsync().AsTask();
        Assert.Equal("all", await peer.ReadToEndAsync());
        Assert.True(peer.WasEndTold);
        peer.Dispose();
        await close;
        Assert.Equal(CloseReason.Local, stream.CloseReason);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_abrupt_close_sends_no_close_notify_before_the_peers(bool isHalfOpen) => RunWithPeer(SslProtocols.Tls13, isHalfOpen ? s_halfOpen : null, async (stream, peer) =>
    {
        stream.Write("a part"u8);
        stream.Close();
        Assert.Equal("a part", await peer.ReadToEndAsync());
        Assert.False(peer.WasEndTold);
    });

    [Fact]
    public void An_answer_that_is_given_up_does_not_look_complete() => RunWithPeer(SslProtocols.Tls13, s_halfOpen, async (stream, peer) =>
    {
        await peer.SendAsync("request", isLast: true);
        Assert.Equal("request", Text(await stream.ReadUntilCloseAsync()));
        stream.Write("half an ans"u8);
        await stream.FlushAsync();
        stream.Close(new InvalidOperationException("no more"));
        Assert.Equal("half an ans", await peer.ReadToEndAsync());
        Assert.False(peer.WasEndTold);
    });

    [Theory]
    [InlineData(Closing.CloseAsync)]
    [InlineData(Closing.CompleteWrites)]
    [InlineData(Closing.EndOfStream)]
    public void It_waits_for_a_kernel_that_is_full(Closing closing)
    {
        IOStreamOptions? options = closing == Closing.EndOfStream ? null : s_halfOpen;
        int most = 0;
        RunWithPeer(SslProtocols.Tls12, options, async (stream, _) =>
        {
            most = await FillAsync(stream, int.MaxValue);
            stream.Close();
        }, "not sent", SocketPair.Unix);
        // A Unix socket takes a record as a whole, and always the same number. So it has no room now, and nothing waits to be sent.
        RunWithPeer(SslProtocols.Tls12, options, async (stream, peer) =>
        {
            Assert.Equal(most, await FillAsync(stream, most));
            await peer.SendAsync("", isLast: true);
            await stream.ReadUntilCloseAsync();
            Task close = CloseAsync(stream, closing);
            await Turns(10);
            Task<string> answer = peer.ReadToEndAsync();
            await close;
            if (closing == Closing.CompleteWrites) stream.Close();
            Assert.Equal(most * Piece, (await answer).Length);
            Assert.True(peer.WasEndTold);
        }, makeSockets: SocketPair.Unix);
    }

    [Fact]
    public void A_wait_that_is_cancelled_does_not_keep_it_back() => RunWithPeer(SslProtocols.Tls13, s_halfOpen, async (stream, peer) =>
    {
        Task write = stream.WriteAsync((ReadOnlyMemory<byte>)new byte[24_000_000]).AsTask();
        using CancellationTokenSource cancellation = new();
        Task completed = stream.CompleteWritesAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => completed);
        Assert.Equal(24_000_000, (await peer.ReadToEndAsync()).Length);
        Assert.True(peer.WasEndTold);
        await write;
    });

    private static async Task CloseAsync(SslIOStream stream, Closing closing)
    {
        switch (closing)
        {
            case Closing.CloseAsync: await stream.CloseAsync(); break;
            case Closing.DisposeAsync: await stream.DisposeAsync(); break;
            case Closing.Close: stream.Close(); break;
            case Closing.Dispose: stream.Dispose(); break;
            case Closing.CompleteWrites: await stream.CompleteWritesAsync(); break;
            default: await WhenClosed(stream); break;
        }
    }

    /// <summary>Writes this number of pieces, or as many as the kernel accepts. Returns their number.</summary>
    private async Task<int> FillAsync(SslIOStream stream, int most)
    {
        int count = 0;
        for (; count < most; count++)
        {
            stream.Write(new byte[Piece]);
            await Turns(2);
            if (stream.IsWriting) break;
        }

        return count;
    }

    private void RunWithPeer(
        SslProtocols protocol, IOStreamOptions? options, Func<SslIOStream, Peer, Task> body, string? expectLog = null, Func<(Socket, Socket)>? makeSockets = null)
    {
        if (expectLog is not null) ExpectLog(expectLog);
        Run(async () =>
        {
            (Socket left, Socket right) = (makeSockets ?? SocketPair.Tcp)();
            SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
            serverOptions.EnabledSslProtocols = protocol;
            using Peer peer = new(right);
            SslIOStream stream = new(left, serverOptions, options);
            await Task.WhenAll(peer.HandshakeAsync(), stream.WaitForHandshakeAsync().AsTask());
            await body(stream, peer);
        });
    }

    /// <summary>A client that uses SslStream.</summary>
    private sealed class Peer : IDisposable
    {
        private readonly EndWatch _watch;
        private readonly SslStream _ssl;

        internal Peer(Socket socket)
        {
            _watch = new EndWatch(new NetworkStream(socket, ownsSocket: true));
            _ssl = new SslStream(_watch);
        }

        /// <summary>After close_notify SslStream reports EOF without reading EOF of the connection.</summary>
        internal bool WasEndTold => !_watch.IsEndSeen;

        internal Task HandshakeAsync() => Task.Run(() => _ssl.AuthenticateAsClientAsync(TestCertificates.ClientOptions()));

        internal Task SendAsync(string text, bool isLast) => Task.Run(async () =>
        {
            await _ssl.WriteAsync(Bytes(text));
            if (isLast) await _ssl.ShutdownAsync();
        });

        internal Task<string> ReadToEndAsync() => Task.Run(async () =>
        {
            using MemoryStream all = new();
            await _ssl.CopyToAsync(all);
            return Text(all.ToArray());
        });

        public void Dispose() => _ssl.Dispose();
    }

    private sealed class EndWatch(Stream inner) : DelegatingStream(inner)
    {
        internal bool IsEndSeen { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await base.ReadAsync(buffer, cancellationToken);
            if (count == 0 && buffer.Length > 0) IsEndSeen = true;
            return count;
        }
    }
}
