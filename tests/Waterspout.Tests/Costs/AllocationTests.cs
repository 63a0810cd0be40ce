namespace Waterspout.Tests;

/// <summary>
/// Allocations in the steady state, counted and not timed. Everything runs on the loop's thread, so that thread's count is complete.
/// </summary>
[OnEachPoller]
public sealed class AllocationTests : LoopTest
{
    private const int Warmup = 2_000;
    private const int Rounds = 5_000;

    private static readonly byte[] s_line = [.. Enumerable.Repeat((byte)'x', 63), (byte)'\n'];
    private static readonly byte[] s_block = new byte[16_384];

    private static readonly long s_lineArray = CostOfLineArray();

    [Fact]
    public void A_round_trip_that_is_parsed_in_place_allocates_nothing() => AssertCosts(0, RoundTripsAsync);

    [Fact]
    public void Lines_out_of_one_arrival_allocate_nothing() => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            for (int line = 0; line < 10; line++) await client.WriteAsync(s_line.AsSpan());
            for (int line = 0; line < 10; line++) await server.ReadUntilAsync("\n"u8, static line => line.Length);
        }
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_with_time_limits_allocate_nothing(bool isRate) => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            // One limit longer than the next, so that the timer has to be moved.
            ValueTask<int> read = server.ReadUntilAsync("\n"u8, static line => line.Length, timeout: Timed(TimeSpan.FromHours(2)));
            await client.WriteAsync(s_line.AsSpan());
            await read;
            read = server.ReadBytesAsync(64, static line => line.Length, timeout: Timed(TimeSpan.FromHours(1)));
            await client.WriteAsync(s_line.AsSpan());
            await read;
        }

        TimeSpan? Timed(TimeSpan limit) => isRate ? null : limit;
    }, new IOStreamOptions { MinimumReadRate = new MinimumRate(1, TimeSpan.FromHours(1)) });

    [Fact]
    public void Pieces_that_are_handed_over_allocate_nothing()
    {
        int left = 0;
        Func<ReadOnlySpan<byte>, bool> handle = _ => --left > 0;
        AssertCosts(0, async (client, server, rounds) =>
        {
            for (int i = 0; i < rounds; i++)
            {
                left = 10;
                ValueTask<bool> read = server.SplitAsync("\n"u8, handle);
                for (int line = 0; line < 10; line++) await client.WriteAsync(s_line.AsSpan());
                await read;
            }
        });
    }

    [Fact]
    public void Messages_that_are_parsed_allocate_nothing()
    {
        MessageParser<int> parser = ParseLine;
        MessageParser<int, int> withState = static (ReadOnlySpan<byte> data, int state, out int consumed, out int message, out int needed) =>
            ParseLine(data, out consumed, out message, out needed);
        AssertCosts(0, async (client, server, rounds) =>
        {
            for (int i = 0; i < rounds; i++)
            {
                // The first waits, and the others are in the buffer.
                ValueTask<int> read = server.ReadMessageAsync(parser);
                for (int line = 0; line < 10; line++) await client.WriteAsync(s_line.AsSpan());
                await read;
                for (int line = 1; line < 9; line++) await server.ReadMessageAsync(parser);
                await server.ReadMessageAsync(i, withState);
            }
        });
    }

    [Fact]
    public void Messages_that_are_handed_over_allocate_nothing()
    {
        int left = 0;
        MessageParser<ReadOnlySpan<byte>> parser = static (ReadOnlySpan<byte> data, out int consumed, out ReadOnlySpan<byte> message, out int needed) =>
        {
            bool isWhole = ParseLine(data, out consumed, out _, out needed);
            message = data[..consumed];
            return isWhole;
        };
        Func<ReadOnlySpan<byte>, bool> handle = _ => --left > 0;
        AssertCosts(0, async (client, server, rounds) =>
        {
            for (int i = 0; i < rounds; i++)
            {
                left = 5;
                ValueTask<bool> read = server.ReadMessagesAsync(parser, handle);
                for (int line = 0; line < 10; line++) await client.WriteAsync(s_line.AsSpan());
                await read;
                await server.ReadMessagesAsync(parser, s_line, static (message, line) => message.Length != line.Length);
                left = 4;
                await server.ReadMessagesAsync(parser, handle);
            }
        });
    }

    [Fact]
    public void Frames_allocate_nothing_where_they_are_parsed_in_place() => AssertCosts(0, async (client, server, rounds) =>
    {
        FrameLength length = new(1);
        for (int i = 0; i < rounds; i++)
        {
            ValueTask<int> read = server.ReadFrameAsync(length, static frame => frame.Length);
            await client.WriteAsync("\u0003one\u0003two\0"u8);
            await read;
            await server.ReadFrameAsync(length, static frame => frame.Length);
            await server.ReadFrameAsync(length, i, static (frame, state) => frame.Length + state);
        }
    });

    [Fact]
    public void Reading_until_any_of_several_delimiters_allocates_nothing_where_it_is_parsed_in_place()
    {
        ReadOnlyMemory<byte>[] delimiters = ["\n"u8.ToArray(), "\r\n"u8.ToArray()];
        AssertCosts(0, async (client, server, rounds) =>
        {
            for (int i = 0; i < rounds; i++)
            {
                ValueTask<int> read = server.ReadUntilAnyAsync(delimiters, static (line, which) => which);
                for (int line = 0; line < 3; line++) await client.WriteAsync(s_line.AsSpan());
                await read;
                await server.ReadUntilAnyAsync(delimiters, static (line, which) => which);
                await server.ReadUntilAnyAsync(delimiters, i, static (line, which, state) => which + state);
            }
        });
    }

    [Fact]
    public void Parsers_with_a_state_allocate_nothing() => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            ValueTask<int> read = server.ReadUntilAsync("\n"u8, i, static (line, state) => line.Length + state);
            for (int line = 0; line < 4; line++) await client.WriteAsync(s_line.AsSpan());
            await read;
            await server.ReadUntilAsync("\n"u8, i, static (line, state) => line.Length + state);
            await server.ReadBytesAsync(s_line.Length, i, static (line, state) => line.Length + state);
            await server.SplitAsync("\n"u8, i, static (line, state) => false);
        }
    });

    [Fact]
    public void Discarding_what_is_buffered_allocates_nothing() => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            ValueTask<long> discard = server.DiscardUntilAsync("\n"u8);
            for (int line = 0; line < 3; line++) await client.WriteAsync(s_line.AsSpan());
            await discard;
            await server.DiscardUntilAsync("\n"u8);
            await server.DiscardAsync(s_line.Length);
        }
    });

    [Fact]
    public void Text_allocates_nothing_when_it_is_written() => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            await client.WriteAsync("zw\u00f6lf");
            await client.WriteLineAsync("!", System.Text.Encoding.Latin1);
            await server.ReadBytesAsync(8, static bytes => bytes.Length);
        }
    });

    [Fact]
    public void Many_connections_that_answer_in_one_turn_allocate_nothing() => Run(async () =>
    {
        // More than the shared array pool keeps per core.
        (IOStream Client, IOStream Server)[] pairs = [.. Enumerable.Range(0, 200).Select(_ => IOStream.CreatePair())];
        await TalkAsync(Warmup / 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await TalkAsync(Rounds / 10);
        // The tasks of the conversations are some hundred bytes each.
        Assert.InRange((double)(GC.GetAllocatedBytesForCurrentThread() - before) / (Rounds / 10 * pairs.Length), 0, 5);

        Task TalkAsync(int rounds) => Task.WhenAll(pairs.Select(pair => RoundTripsAsync(pair.Client, pair.Server, rounds)));
    });

    [Fact]
    public void So_many_bytes_that_are_parsed_in_place_allocate_nothing() => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            ValueTask<int> read = server.ReadBytesAsync(s_line.Length, static bytes => bytes.Length);
            await client.WriteAsync(s_line.AsSpan());
            await read;
        }
    });

    [Fact]
    public void Reading_into_a_buffer_of_the_callers_allocates_nothing()
    {
        byte[] target = new byte[s_block.Length];
        AssertCosts(0, async (client, server, rounds) =>
        {
            for (int i = 0; i < rounds; i++)
            {
                ValueTask<int> read = server.ReadIntoAsync(target);
                await client.WriteAsync(s_block.AsMemory());
                await read;
            }
        });
    }

    [Fact]
    public void Reading_until_a_delimiter_allocates_the_array_that_it_returns_and_nothing_else() => AssertCosts(s_lineArray, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            ValueTask<byte[]> line = server.ReadUntilAsync("\n"u8);
            await client.WriteAsync(s_line.AsSpan());
            await line;
        }
    });

    [Fact]
    public void Reading_so_many_bytes_allocates_the_array_that_it_returns_and_nothing_else() => AssertCosts(s_lineArray, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            ValueTask<byte[]> bytes = server.ReadBytesAsync(s_line.Length);
            await client.WriteAsync(s_line.AsSpan());
            await bytes;
        }
    });

    [Fact]
    public void Writing_and_flushing_allocate_nothing() => AssertCosts(0, async (client, server, rounds) =>
    {
        for (int i = 0; i < rounds; i++)
        {
            client.Write(s_line);
            await client.WriteAsync(s_line.AsSpan());
            s_line.CopyTo(client.GetSpan(s_line.Length));
            client.Advance(s_line.Length);
            await client.FlushAsync();
            await server.ReadBytesAsync(3 * s_line.Length, static bytes => bytes.Length);
        }
    });

    // The caller counts the rounds: a method called for each round would have a state machine for each.
    private void AssertCosts(long bytes, Func<IOStream, IOStream, int, Task> play, IOStreamOptions? options = null) => Run(async () =>
    {
        (IOStream client, IOStream server) = IOStream.CreatePair(options);
        await play(client, server, Warmup);
        long before = GC.GetAllocatedBytesForCurrentThread();
        await play(client, server, Rounds);
        double perRound = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
        // Less than a byte per round: an array pool or a dictionary may grow once in a while.
        Assert.InRange(perRound, bytes, bytes + 0.99);
    });

    private static async Task RoundTripsAsync(IOStream client, IOStream server, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            // Started before the data is there, so that it waits, and is completed by an event.
            ValueTask<int> request = server.ReadUntilAsync("\n"u8, static line => line.Length);
            await client.WriteAsync(s_line.AsSpan());
            await request;
            ValueTask<int> answer = client.ReadUntilAsync("\n"u8, static line => line.Length);
            await server.WriteAsync(s_line.AsSpan());
            await answer;
        }
    }

    private static bool ParseLine(ReadOnlySpan<byte> data, out int consumed, out int message, out int needed)
    {
        bool isWhole = data.Length >= s_line.Length;
        consumed = message = isWhole ? s_line.Length : 0;
        needed = isWhole ? 0 : s_line.Length - data.Length;
        return isWhole;
    }

    private static long CostOfLineArray()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(new byte[s_line.Length]);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
