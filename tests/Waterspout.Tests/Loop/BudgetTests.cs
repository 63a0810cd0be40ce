using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>One stream that always has data, beside everything else that a loop does.</summary>
[OnEachPoller]
public sealed class BudgetTests : LoopTest
{
    private const int Budget = 256 * 1024;
    private const int SendBudget = 1024 * 1024;

    [Fact]
    public void An_endless_stream_takes_its_share_of_a_turn_and_waits_once_for_the_next() => Run(async () =>
    {
        EndlessStream stream = new();
        Task reader = ReadForEver(stream);
        List<int> waiting = [];
        List<long> received = [];
        TaskCompletionSource end = new();
        Sample();
        await end.Task;
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => reader);

        // The next turn for the stream, and one more callback of the code that completed a read. If each asked for two, there would be
        // thousands.
        Assert.InRange(waiting.Max(), 1, 3);
        Assert.All(received.Zip(received.Skip(1)), turn => Assert.InRange(turn.Second - turn.First, 1, Budget + EndlessStream.Chunk));

        // A timer runs after the callbacks of a turn, and sees everything that waits for the next one.
        void Sample() => Loop.CallLater(TimeSpan.Zero, () =>
        {
            waiting.Add(Loop.WaitingCallbacks);
            received.Add(stream.Received);
            if (waiting.Count == 50) end.SetResult();
            else Sample();
        });
    });

    [Fact]
    public void A_stream_beside_an_endless_one_has_its_turn() => Run(async () =>
    {
        EndlessStream stream = new();
        Task reader = ReadForEver(stream);
        (IOStream left, IOStream right) = IOStream.CreatePair();
        for (int i = 0; i < 20; i++)
        {
            long before = stream.Received;
            await left.WriteAsync("ping"u8);
            Assert.Equal(4, (await right.ReadBytesAsync(4)).Length);
            Assert.InRange(stream.Received - before, 0, 10 * Budget);
        }

        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => reader);
    });

    [Fact]
    public void A_stream_whose_peer_takes_everything_sends_its_share_of_a_turn() => Run(async () =>
    {
        EndlessStream stream = new();
        Task write = stream.WriteAsync((ReadOnlyMemory<byte>)new byte[32 * SendBudget]).AsTask();
        List<long> sent = [];
        Sample();
        await write;
        stream.Close();
        Assert.InRange(sent.Count, 30, 40);
        Assert.All(sent.Zip(sent.Skip(1)), turn => Assert.InRange(turn.Second - turn.First, 1, SendBudget + EndlessStream.Chunk));

        void Sample() => Loop.CallLater(TimeSpan.Zero, () =>
        {
            sent.Add(stream.Sent);
            if (!write.IsCompleted) Sample();
        });
    });

    [Fact]
    public void A_stream_whose_writes_fail_takes_its_share_of_a_turn_for_what_is_left() => Run(async () =>
    {
        const int Most = 8 * Budget;
        EndlessStream stream = new(new IOStreamOptions { MaxBufferSize = Most }) { WriteError = new SocketException((int)SocketError.ConnectionReset) };
        await stream.ReadBytesAsync(EndlessStream.Chunk);
        stream.Write("x"u8);
        await Assert.ThrowsAsync<StreamClosedException>(() => stream.FlushAsync().AsTask());
        List<long> received = [];
        TaskCompletionSource end = new();
        Sample();
        await end.Task;
        Assert.All(received.Zip(received.Skip(1)), turn => Assert.InRange(turn.Second - turn.First, 0, Budget + EndlessStream.Chunk));
        Assert.InRange(received.Count, 7, 12);

        // What had no room is still there, and so is the stream.
        Assert.False(stream.IsClosed);
        await stream.ReadBytesAsync(Most);
        await stream.ReadBytesAsync(Most);
        stream.Close();
        Assert.Equal(CloseReason.Reset, stream.CloseReason);

        void Sample() => Loop.CallLater(TimeSpan.Zero, () =>
        {
            received.Add(stream.Received);
            if (stream.UnreadBytes >= Most) end.SetResult();
            else Sample();
        });
    });

    private static async Task ReadForEver(BaseIOStream stream)
    {
        // The first reads are left over in the buffer and the last one of a turn finds the budget spent: both ways to ask for more.
        while (true)
        {
            await stream.ReadBytesAsync(EndlessStream.Chunk, static data => data.Length);
            await stream.ReadBytesAsync(EndlessStream.Chunk);
        }
    }

    /// <summary>A stream that fills every buffer, and accepts everything it is given.</summary>
    private sealed class EndlessStream : BaseIOStream
    {
        internal const int Chunk = 64 * 1024;
        private readonly Socket _socket;
        private readonly Socket _other;

        internal EndlessStream(IOStreamOptions? options = null)
            : base(options)
        {
            (_socket, _other) = Testing.StreamPair.CreateTcpSockets();
            _other.Send("x"u8);
        }

        internal Exception? WriteError { get; init; }

        internal long Received { get; private set; }

        internal long Sent { get; private set; }

        protected override int Fileno => (int)_socket.SafeHandle.DangerousGetHandle();

        protected override void CloseFd()
        {
            _socket.Dispose();
            _other.Dispose();
        }

        protected override int? ReadFromFd(Span<byte> buffer)
        {
            Received += buffer.Length;
            return buffer.Length;
        }

        protected override int? WriteToFd(ReadOnlySpan<byte> data)
        {
            if (WriteError is { } error) throw error;
            int count = Math.Min(data.Length, Chunk);
            Sent += count;
            return count;
        }
    }
}
