using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>User-defined streams, with nothing but the members that they have to implement.</summary>
[OnEachPoller]
public sealed class SubclassTests : LoopTest
{
    [Fact]
    public void Writes_of_several_pieces_leave_whole_and_in_order() => Run(async () =>
    {
        (PlainStream stream, IOStream peer) = CreatePair(bytesPerCall: int.MaxValue);
        byte[] data = new byte[60_000];
        new Random(1).NextBytes(data);
        // The copy of the small write and the memory of the large one are two pieces.
        Task small = stream.WriteAsync(data.AsSpan(0, 5)).AsTask();
        Task large = stream.WriteAsync(data.AsMemory(5)).AsTask();
        Assert.Equal(data, await peer.ReadBytesAsync(data.Length));
        await Task.WhenAll(small, large);
    });

    [Fact]
    public void A_receive_may_give_less_than_there_is() => Run(async () =>
    {
        (PlainStream stream, IOStream peer) = CreatePair(bytesPerCall: 3);
        await peer.WriteAsync("more than three bytes\n"u8);
        Assert.Equal(22, (await stream.ReadUntilAsync("\n"u8)).Length);
    });

    [Fact]
    public void A_send_may_take_less_than_it_could() => Run(async () =>
    {
        (PlainStream stream, IOStream peer) = CreatePair(bytesPerCall: 3);
        await stream.WriteAsync("more than three bytes\n"u8);
        Assert.Equal(22, (await peer.ReadUntilAsync("\n"u8)).Length);
    });

    [Fact]
    public void A_socket_stream_may_be_derived_and_fall_short_or_say_that_it_would_block() => Run(async () =>
    {
        (Socket first, Socket second) = Testing.StreamPair.CreateTcpSockets();
        HesitantStream stream = new(first, Loop);
        IOStream peer = new(second, loop: Loop);
        byte[] data = new byte[2_000];
        new Random(2).NextBytes(data);
        await peer.WriteAsync(data);
        Assert.Equal(data, await stream.ReadBytesAsync(data.Length));
        ValueTask write = stream.WriteAsync(data);
        Assert.Equal(data, await peer.ReadBytesAsync(data.Length));
        await write;
    });

    private (PlainStream Stream, IOStream Peer) CreatePair(int bytesPerCall)
    {
        (Socket first, Socket second) = Testing.StreamPair.CreateTcpSockets();
        return (new PlainStream(first, bytesPerCall, Loop), new IOStream(second, loop: Loop));
    }

    /// <summary>Transfers a byte at a time, and reports every other time that it would block.</summary>
    private sealed class HesitantStream(Socket socket, IOLoop loop) : IOStream(socket, null, loop)
    {
        private int _reads;
        private int _writes;

        protected override int? ReadFromFd(Span<byte> buffer) => _reads++ % 2 == 0 ? null : base.ReadFromFd(buffer[..1]);

        protected override int? WriteToFd(ReadOnlySpan<byte> data) => _writes++ % 2 == 0 ? null : base.WriteToFd(data[..1]);
    }

    private sealed class PlainStream : BaseIOStream
    {
        private readonly Socket _socket;
        private readonly int _bytesPerCall;

        internal PlainStream(Socket socket, int bytesPerCall, IOLoop loop)
            : base(null, loop)
        {
            socket.Blocking = false;
            (_socket, _bytesPerCall) = (socket, bytesPerCall);
        }

        protected override int Fileno => (int)_socket.SafeHandle.DangerousGetHandle();

        protected override void CloseFd() => _socket.Dispose();

        protected override int? ReadFromFd(Span<byte> buffer)
        {
            int count = _socket.Receive(buffer[..Math.Min(buffer.Length, _bytesPerCall)], SocketFlags.None, out SocketError error);
            return error == SocketError.WouldBlock ? null : count;
        }

        protected override int? WriteToFd(ReadOnlySpan<byte> data)
        {
            int count = _socket.Send(data[..Math.Min(data.Length, _bytesPerCall)], SocketFlags.None, out SocketError error);
            return error == SocketError.WouldBlock ? null : count;
        }
    }
}
