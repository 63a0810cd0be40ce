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
        Testing.FaultyIOStream stream = new(first, loop: Loop);
        stream.Receives.BytesPerCall = stream.Sends.BytesPerCall = 1;
        IOStream peer = new(second, loop: Loop);
        byte[] data = new byte[500];
        new Random(2).NextBytes(data);
        await peer.WriteAsync(data);
        foreach (byte expected in data)
        {
            stream.Receives.Block(1);
            Assert.Equal([expected], await stream.ReadBytesAsync(1));
        }

        for (int at = 0; at < data.Length; at += 10)
        {
            stream.Sends.Block(1);
            await stream.WriteAsync(data.AsSpan(at, 10));
            Assert.Equal(data[at..(at + 10)], await peer.ReadBytesAsync(10));
        }
    });

    private (PlainStream Stream, IOStream Peer) CreatePair(int bytesPerCall)
    {
        (Socket first, Socket second) = Testing.StreamPair.CreateTcpSockets();
        return (new PlainStream(first, bytesPerCall, Loop), new IOStream(second, loop: Loop));
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
