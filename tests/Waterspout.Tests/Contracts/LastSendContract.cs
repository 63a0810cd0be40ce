using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>Data written right before a close: it is sent as far as the system accepts it, and the rest is not dropped silently.</summary>
[Contract(Aspects.LastSends)]
public sealed class LastSendContract : StreamContract
{
    private const string Unsent = "bytes were written and not sent";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_written_before_a_close_arrives(bool isDisposed) => RunPair(async (left, right) =>
    {
        await left.WriteAsync("awaited "u8);
        left.Write("and not "u8);
        if (isDisposed) left.Dispose();
        else left.Close();
        Assert.False(left.IsWriting);
        Assert.Equal(CloseReason.Local, left.CloseReason);
        await AssertReads("awaited and not ", right.ReadBytesAsync(16));
    });

    [Fact]
    public void What_another_thread_wrote_before_its_close_arrives() => RunPair(async (left, right) =>
    {
        await Task.Run(() =>
        {
            ValueTask write = left.WriteAsync("first "u8);
            left.Write("second"u8);
            left.Close();
            Assert.True(left.IsClosed);
            return write.AsTask();
        });
        await AssertReads("first second", right.ReadBytesAsync(12));
    });

    [Fact]
    public void A_write_from_another_thread_that_comes_after_a_close_is_logged_with_its_size()
    {
        ExpectLog($": 4 {Unsent}");
        RunPair((left, right) =>
        {
            // The test blocks the loop, so the write has to wait until the close is done.
            Thread writer = new(() => left.Write("data"u8));
            writer.Start();
            writer.Join();
            left.Close();
            return Turns(2);
        });
    }

    [Fact]
    public void What_was_written_after_the_end_of_the_peers_side_arrives() => RunPair(async (left, right) =>
    {
        if (!Transport.IsDuplex) return;
        await right.CompleteWritesAsync();
        await left.ReadUntilCloseAsync();
        await left.WriteAsync("answer"u8);
        left.Close();
        await AssertReads("answer", right.ReadUntilCloseAsync());
    }, new IOStreamOptions { AllowHalfOpen = true });

    [Fact]
    public void What_was_written_before_the_end_of_writes_arrives() => RunPair(async (left, right) =>
    {
        left.Write("last"u8);
        _ = left.CompleteWritesAsync().AsTask();
        left.Close();
        await AssertReads("last", right.ReadBytesAsync(4));
    });

    [Fact]
    public void The_loops_end_sends_what_was_written()
    {
        RunPair((left, right) =>
        {
            left.Write("last"u8);
            return Task.CompletedTask;
        });
        Assert.DoesNotContain(Log.Lines, static line => line.Message.Contains(Unsent));
    }

    [Fact]
    public void A_write_whose_data_the_close_has_sent_is_completed() => RunPair(async (left, right) =>
    {
        TaskCompletionSource sent = new();
        left.Write("data"u8, sent.SetResult);
        left.Close();
        await sent.Task;
        await AssertReads("data", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_close_with_an_error_sends_nothing_and_logs_what_it_drops()
    {
        ExpectLog($": 4 {Unsent}");
        RunPair(async (left, right) =>
        {
            await left.WriteAsync("data"u8);
            left.Close(new IOException("cause"));
            await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
        });
    }

    [Fact]
    public void Unsent_data_is_logged_with_its_size()
    {
        ExpectUnsent();
        RunPair(async (left, right) =>
        {
            byte[] data = Clog(left, out Task write);
            string name = left.ToString()!;
            long unsent = left.Unsent;
            left.Close();
            await Assert.ThrowsAsync<StreamClosedException>(() => write);
            LogLine line = Assert.Single(Log.Lines, static line => line.Message.Contains(Unsent));
            Assert.Equal(LogLevel.Warning, line.Level);
            Assert.StartsWith(name, line.Message);
            int dropped = int.Parse(line.Message[(name.Length + 2)..line.Message.IndexOf(Unsent, StringComparison.Ordinal)]);
            Assert.InRange(dropped, 1, unsent);
            // Over TLS a partly sent record counts as dropped, a completely sent one does not.
            AssertSame(data.AsMemory(0, data.Length - dropped), await right.ReadBytesAsync(data.Length - dropped));
            await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
        });
    }

    [Fact]
    public void Data_dropped_by_a_closing_peer_is_logged_at_debug_level() => RunPair(async (left, right) =>
    {
        Clog(left, out Task write);
        right.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.Single(Log.Lines, static line => line.Message.Contains(Unsent));
        AssertLogIsQuiet();
    });

    [Fact]
    public void A_close_after_the_peers_close_is_logged_at_debug_level() => RunPair(async (left, right) =>
    {
        right.Close();
        left.Write("x"u8);
        left.Close();
        await Turns(2);
        Assert.Equal(CloseReason.Local, left.CloseReason);
        AssertLogIsQuiet();
    });
}
