using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>A user's class that agrees on something with its peer before a connection carries data.</summary>
[OnEachPoller]
public sealed class OwnHandshakeTests : TlsTest
{
    [Fact]
    public void Reads_and_writes_wait_for_the_handshake() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using GreetingStream stream = new(left);
        using IOStream peer = new(right);
        Task<byte[]> read = stream.ReadUntilAsync("\n"u8).AsTask();
        await stream.WriteAsync("request\n"u8);
        Assert.Equal("HELLO\n", Text(await peer.ReadUntilAsync("\n"u8)));
        Task<byte[]> request = peer.ReadUntilAsync("\n"u8).AsTask();
        await Turns(3);
        Assert.False(request.IsCompleted);
        // One byte too few, then the rest together with data.
        await peer.WriteAsync("HELLO"u8);
        await peer.FlushAsync();
        await Turns(3);
        Assert.False(request.IsCompleted || read.IsCompleted);
        await peer.WriteAsync("\nanswer\n"u8);
        Assert.Equal("answer\n", Text(await read));
        Assert.Equal("request\n", Text(await request));
    });

    [Fact]
    public void A_connect_includes_the_handshake() => Run(async () =>
    {
        using TestListener listener = new();
        using GreetingStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        Task connect = stream.ConnectAsync(listener.EndPoint, "peer.example").AsTask();
        using IOStream peer = new(await listener.AcceptAsync());
        await peer.ReadUntilAsync("\n"u8);
        Assert.Equal("peer.example", stream.Host);
        Assert.False(connect.IsCompleted);
        await peer.WriteAsync("HELLO\n"u8);
        await connect;
        await peer.WriteAsync("data"u8);
        Assert.Equal("data", Text(await stream.ReadBytesAsync(4)));
    });

    [Fact]
    public void A_failed_handshake_closes_the_stream_for_its_reason() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        GreetingStream stream = new(left);
        using IOStream peer = new(right);
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        await peer.WriteAsync("GOODBYE\n"u8);
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Equal(CloseReason.Error, closed.Reason);
        Assert.IsType<InvalidDataException>(closed.InnerException);
        Assert.Equal(CloseReason.Error, stream.CloseReason);
    });

    [Fact]
    public void An_upgrade_takes_over_what_has_arrived() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        IOStream plain = new(left);
        using IOStream peer = new(right);
        await peer.WriteAsync("upgrade\nHELLO\ndata"u8);
        Assert.Equal("upgrade\n", Text(await plain.ReadUntilAsync("\n"u8)));
        using GreetingStream stream = new(plain);
        Assert.Equal("data", Text(await stream.ReadBytesAsync(4)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => plain.ReadBytesAsync(1).AsTask());
        plain.Close();
        await stream.WriteAsync("answer"u8);
        Assert.Equal("HELLO\nanswer", Text(await peer.ReadBytesAsync(12)));
        // Not twice: what the stream itself reads is no longer the connection's data.
        Assert.Throws<InvalidOperationException>(() => new GreetingStream(stream));
    });

    [Fact]
    public void A_stream_that_is_reading_is_not_replaced() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using IOStream plain = new(left);
        using IOStream peer = new(right);
        Task<byte[]> read = plain.ReadBytesAsync(1).AsTask();
        Assert.Throws<InvalidOperationException>(() => new GreetingStream(plain));
        await peer.WriteAsync("x"u8);
        Assert.Equal("x", Text(await read));
    });

    /// <summary>Both sides begin with a line. By public and protected members only.</summary>
    private sealed class GreetingStream : IOStream
    {
        private byte[] _received = [];
        private bool _isBegun;

        internal GreetingStream(Socket socket)
            : base(socket) => StartIfConnected();

        internal GreetingStream(IOStream plain)
            : base(plain, plain.Options, out byte[] received)
        {
            _received = received;
            StartIfConnected();
        }

        internal string? Host { get; private set; }

        protected override bool HasHandshake => true;

        protected override void BeginHandshake(string? serverHostname)
        {
            Host = serverHostname;
            _isBegun = true;
            Assert.Equal(6, base.WriteToFd("HELLO\n"u8));
            Continue();
        }

        protected override void OnEvents(IOEvents events)
        {
            base.OnEvents(events);
            if (_isBegun && IsConnecting) Continue();
        }

        protected override int? ReadFromFd(Span<byte> buffer)
        {
            if (_received.Length == 0) return base.ReadFromFd(buffer);
            int count = Math.Min(buffer.Length, _received.Length);
            _received.AsSpan(0, count).CopyTo(buffer);
            _received = _received[count..];
            return count;
        }

        private void Continue()
        {
            byte[] space = new byte[16];
            while (_received.Length < 6)
            {
                int? count = base.ReadFromFd(space.AsSpan());
                if (count is null)
                {
                    AwaitReadiness(IOEvents.Read);
                    return;
                }

                _received = [.. _received, .. space.AsSpan(0, count.Value)];
            }

            if (!_received.AsSpan().StartsWith("HELLO\n"u8))
            {
                CloseFor(CloseReason.Error, new InvalidDataException("Not a greeting."));
                return;
            }

            _received = _received[6..];
            CompleteConnecting();
            NotifyReadyLater(IOEvents.Read);
        }
    }
}
