namespace Waterspout.Tests;

/// <summary>Concurrent cancellations, time limits and calls from many threads. Each read has one outcome, and no byte is lost.</summary>
[Contract(Aspects.Use)]
public sealed class RaceContract : StreamContract
{
    private static readonly TimeSpan[] s_limits =
        [TimeSpan.FromTicks(1), TimeSpan.FromMicroseconds(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan];

    // In turns. It follows the outcomes, so that some reads complete and some are cancelled on any machine and over any stream.
    private int _patience = 4;

    [Fact]
    public void Many_cancellations_race_with_arriving_data_and_no_byte_is_lost()
    {
        Random random = NewRandom();
        int rounds = Transport.Rounds(1000);
        RunCancelledReads(random, 3_000_000, rounds, rounds / 20, async cancellation =>
        {
            if (random.Next(2) == 0) await Turns(random.Next(_patience));
            if (random.Next(2) == 0) await Task.Run(cancellation.Cancel);
            else cancellation.Cancel();
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(10_000)]
    public void Many_time_limits_race_with_arriving_data_and_no_byte_is_lost(int ticks)
    {
        Random random = NewRandom();
        byte[] data = RandomBytes(random, 200_000);
        RunPair(async (left, right) =>
        {
            int at = 0;
            Task write = WriteSlowly(left, data, new Random(random.Next()), () => at);
            while (at < data.Length)
            {
                try
                {
                    byte[] result = await RandomReads.Start(right, data.AsMemory(at), random);
                    AssertSame(data.AsMemory(at, result.Length), result);
                    at += result.Length;
                }
                catch (TimeoutException)
                {
                    // Most of them wait: the writer waits for the reader, which wants more than there is.
                }
            }

            await write;
        }, new IOStreamOptions { ReadTimeout = TimeSpan.FromTicks(ticks) });
    }

    [Fact]
    public void A_time_limit_that_eight_threads_move_about_gives_each_read_one_outcome()
    {
        Random random = NewRandom();
        RunCancelledReads(random, 1_000_000, Transport.Rounds(100), 0, limit => MoveAbout(limit, random));
    }

    [Fact]
    public void Many_threads_at_once_meet_documented_exceptions_only() => RunPair(async (left, right) =>
    {
        // A thread that is done closes both ends while others still write.
        Log.Allow("bytes were written and not sent");
        for (int round = 0; round < 10; round++)
        {
            (BaseIOStream writer, BaseIOStream reader) = await Transport.ConnectAsync(null);
            using Barrier start = new(8);
            Task[] threads = [.. Enumerable.Range(0, 8).Select(number => Task.Factory.StartNew(() => Use(writer, reader, number, start),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap())];
            await Task.WhenAll(threads);
            Assert.True(writer.IsClosed && reader.IsClosed);
        }

        await left.WriteAsync("fresh"u8);
        await AssertReads("fresh", right.ReadBytesAsync(5));
    });

    // Reads of which each completes or is cancelled. There are more than this number of both.
    private void RunCancelledReads(Random random, int length, int rounds, int least, Func<CancellationTokenSource, Task> cancelAsync)
    {
        byte[] data = RandomBytes(random, length);
        RunPair(async (left, right) =>
        {
            int at = 0, completed = 0, cancelled = 0;
            Task write = WriteSlowly(left, data, new Random(random.Next()), () => at);
            for (int i = 0; i < rounds && at < data.Length; i++)
            {
                using CancellationTokenSource cancellation = new();
                Task<byte[]> read = RandomReads.Start(right, data.AsMemory(at), random, cancellation.Token);
                Task cancel = cancelAsync(cancellation);
                try
                {
                    byte[] result = await read;
                    AssertSame(data.AsMemory(at, result.Length), result);
                    at += result.Length;
                    completed++;
                    _patience = Math.Max(2, _patience - 1);
                }
                catch (OperationCanceledException error)
                {
                    Assert.Equal(cancellation.Token, error.CancellationToken);
                    cancelled++;
                    _patience = Math.Min(64, _patience + 1);
                }

                await cancel;
            }

            int rest = at;
            at = data.Length;
            AssertSame(data.AsMemory(rest), await right.ReadUntilCloseAsync());
            await write;
            Assert.True(completed > least && cancelled > least, $"{completed} reads completed, {cancelled} were cancelled: that is no race.");
        });
    }

    // To later and to earlier times, at the same time; and finally to now, since the read may want more than will come.
    private static async Task MoveAbout(CancellationTokenSource limit, Random random)
    {
        using Barrier start = new(8);
        await Task.WhenAll(Enumerable.Range(0, start.ParticipantCount).Select(_ => random.Next()).ToArray().Select(seed => Task.Factory.StartNew(() =>
        {
            Random own = new(seed);
            start.SignalAndWait();
            for (int i = 0; i < 5; i++) limit.CancelAfter(s_limits[own.Next(s_limits.Length)]);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        limit.CancelAfter(TimeSpan.Zero);
    }

    // Never far ahead of the reader, which otherwise would never have to wait. At the end the rest follows in one piece.
    private async Task WriteSlowly(BaseIOStream stream, byte[] data, Random random, Func<int> read)
    {
        for (int at = 0, count; at < data.Length; at += count)
        {
            count = Math.Min(read() == data.Length ? data.Length : random.Next(1, 1000), data.Length - at);
            await stream.WriteAsync(data.AsMemory(at, count));
            await Turn();
            while (at - read() > 2000) await Turn();
        }

        await stream.CloseAsync();
    }

    private static async Task Use(BaseIOStream writer, BaseIOStream reader, int number, Barrier start)
    {
        start.SignalAndWait();
        for (int i = 0; i < 50; i++)
        {
            try
            {
                await UseOnce(writer, reader, (number + i) % 8);
            }
            catch (Exception error) when (error is StreamClosedException || (error is InvalidOperationException && error.Message.StartsWith("Already reading")))
            {
            }
        }

        writer.Close();
        reader.Close();
    }

    private static async Task UseOnce(BaseIOStream writer, BaseIOStream reader, int what)
    {
        _ = (reader.IsReading, writer.IsWriting, reader.IsClosed, reader.Error, reader.CloseReason, writer.Closed.IsCancellationRequested);
        switch (what)
        {
            case 0: await writer.WriteAsync(new byte[100].AsMemory()); break;
            case 1: writer.Write("0123456789"u8); break;
            case 2: await writer.FlushAsync(); break;
            case 3: await reader.ReadBytesAsync(10, partial: true); break;
            case 4: await reader.ReadIntoAsync(new byte[50], partial: true); break;
            case 5: writer.SetNoDelay(true); break;
            case 6: reader.SetCloseCallback(static () => { }); break;
            default: await reader.ReadBytesAsync(1, static data => data.Length); break;
        }
    }
}
