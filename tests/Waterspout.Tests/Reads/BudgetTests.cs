using System.Net.Sockets;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>A stream that always has more than one turn may take.</summary>
public abstract class BudgetTests(PollerKind poller) : LoopTest(poller)
{
    // Some turns' worth: what a stream may receive in one is 256 KiB.
    private const int Total = 4 * 1024 * 1024;

    [Fact]
    public void A_stream_that_spends_its_budget_turn_after_turn_queues_itself_once_a_turn() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Unix();
        using IOStream other = new(left, loop: Loop);
        using EndlessStream stream = new(right, Loop);
        await other.WriteAsync("x"u8); // for the event that says that there is something
        int most = 0;
        // A line at a time out of large receives: both the reads and the event find the budget spent.
        for (int i = 0; i < Total; i++)
        {
            await stream.ReadUntilAsync("\n"u8, static line => line.Length);
            most = Math.Max(most, Loop.WaitingCallbacks);
        }

        Assert.Equal(1, most);
    });

    private sealed class EndlessStream(Socket socket, IOLoop loop) : IOStream(socket, null, loop)
    {
        protected override int? ReadFromFd(Span<byte> buffer)
        {
            buffer.Fill((byte)'\n');
            return buffer.Length;
        }
    }
}

public sealed class BudgetEpollTests() : BudgetTests(PollerKind.Epoll);

public sealed class BudgetPortableTests() : BudgetTests(PollerKind.Portable);
