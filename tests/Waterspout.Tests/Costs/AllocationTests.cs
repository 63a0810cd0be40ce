namespace Waterspout.Tests;

/// <summary>What the steady state costs in memory, counted and not timed. Everything runs on the loop's thread, so the thread's count is the whole.</summary>
public abstract class AllocationTests(PollerKind poller) : LoopTest(poller)
{
    private const int Warmup = 2_000;
    private const int Rounds = 5_000;

    private static readonly byte[] s_line = [.. Enumerable.Repeat((byte)'x', 63), (byte)'\n'];

    [Fact]
    public void A_round_trip_that_is_parsed_in_place_allocates_nothing() => Run(async () =>
    {
        (IOStream client, IOStream server) = IOStream.CreatePair();
        await RoundTrips(client, server, Warmup);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await RoundTrips(client, server, Rounds);
        AssertPerRound(0, before);
    });

    [Fact]
    public void Many_connections_that_answer_in_one_turn_allocate_nothing() => Run(async () =>
    {
        // More than the shared array pool keeps for a core.
        (IOStream Client, IOStream Server)[] pairs = [.. Enumerable.Range(0, 200).Select(_ => IOStream.CreatePair())];
        Task Talk(int count) => Task.WhenAll(pairs.Select(pair => RoundTrips(pair.Client, pair.Server, count).AsTask()));
        await Talk(Warmup / 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await Talk(Rounds / 10);
        // The tasks of the loops are some hundred bytes each, for 500 round trips.
        Assert.InRange((double)(GC.GetAllocatedBytesForCurrentThread() - before) / (Rounds / 10 * pairs.Length), 0, 5);
    });

    [Fact]
    public void Pieces_that_are_handed_over_allocate_nothing() => Run(async () =>
    {
        (IOStream client, IOStream server) = IOStream.CreatePair();
        byte[] many = [.. Enumerable.Repeat(s_line, 100).SelectMany(line => line)];
        int left = 0;
        Func<ReadOnlySpan<byte>, bool> handle = _ => --left > 0;
        await Pieces(Warmup / 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await Pieces(Rounds / 100);
        AssertPerRound(0, before);

        async ValueTask Pieces(int count)
        {
            for (int i = 0; i < count; i++)
            {
                left = 100;
                ValueTask<bool> read = server.SplitAsync("\n"u8, handle);
                await client.WriteAsync(many.AsSpan());
                await read;
            }
        }
    });

    [Fact]
    public void A_read_allocates_the_array_that_it_returns_and_nothing_else() => Run(async () =>
    {
        (IOStream client, IOStream server) = IOStream.CreatePair();
        await Arrays(client, server, Warmup);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await Arrays(client, server, Rounds);
        long array = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(new byte[s_line.Length]);
        array = GC.GetAllocatedBytesForCurrentThread() - array;
        AssertPerRound(array, before);
    });

    [Fact]
    public void Lines_out_of_one_arrival_allocate_nothing() => Run(async () =>
    {
        (IOStream client, IOStream server) = IOStream.CreatePair();
        byte[] many = [.. Enumerable.Repeat(s_line, 100).SelectMany(line => line)];
        await Lines(client, server, many, Warmup / 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await Lines(client, server, many, Rounds / 100);
        AssertPerRound(0, before);
    });

    [Fact]
    public void Reading_into_a_buffer_of_the_callers_allocates_nothing() => Run(async () =>
    {
        (IOStream client, IOStream server) = IOStream.CreatePair();
        byte[] data = new byte[16_384];
        byte[] target = new byte[data.Length];
        await Blocks(client, server, data, target, Warmup);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await Blocks(client, server, data, target, Rounds);
        AssertPerRound(0, before);
    });

    // Less than a byte for each round: an array pool or a dictionary may grow once in a while.
    private static void AssertPerRound(long expected, long before)
    {
        double perRound = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
        Assert.InRange(perRound, 0, expected + 0.99);
    }

    private static async ValueTask RoundTrips(IOStream client, IOStream server, int count)
    {
        for (int i = 0; i < count; i++)
        {
            // Begun before the data is there, so that it waits, and is completed by an event.
            ValueTask<int> request = server.ReadUntilAsync("\n"u8, static line => line.Length);
            await client.WriteAsync(s_line);
            await request;
            ValueTask<int> answer = client.ReadUntilAsync("\n"u8, static line => line.Length);
            await server.WriteAsync(s_line);
            await answer;
        }
    }

    private static async ValueTask Arrays(IOStream client, IOStream server, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ValueTask<byte[]> line = server.ReadUntilAsync("\n"u8);
            await client.WriteAsync(s_line);
            await line;
        }
    }

    private static async ValueTask Lines(IOStream client, IOStream server, byte[] many, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await client.WriteAsync(many.AsSpan());
            for (int line = 0; line < 100; line++) await server.ReadUntilAsync("\n"u8, static line => line.Length);
        }
    }

    private static async ValueTask Blocks(IOStream client, IOStream server, byte[] data, byte[] target, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ValueTask<int> read = server.ReadIntoAsync(target);
            await client.WriteAsync(data.AsMemory());
            await read;
        }
    }
}

public sealed class AllocationEpollTests() : AllocationTests(PollerKind.Epoll);

public sealed class AllocationPortableTests() : AllocationTests(PollerKind.Portable);
