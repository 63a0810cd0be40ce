using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>Children by <see cref="ChildProcess"/>: their streams, their exit, and what ends them.</summary>
[OnEachPoller]
public sealed class ChildTests : LoopTest
{
    [Fact]
    public void Input_output_and_exit_code_of_a_child() => Run(async () =>
    {
        await using ChildProcess cat = ChildProcess.Start(new ProcessStartInfo("cat"));
        byte[] data = new byte[300_000];
        new Random(1).NextBytes(data);
        Task<byte[]> output = cat.StandardOutput.ReadUntilCloseAsync().AsTask();
        await cat.StandardInput.WriteAsync(data.AsMemory());
        await cat.StandardInput.CloseAsync();
        Assert.True((await output).AsSpan().SequenceEqual(data));
        Assert.Equal(0, await ExitOf(cat));
        Assert.True(cat.HasExited);
    });

    [Fact]
    public void The_three_streams_are_apart() => Run(async () =>
    {
        await using ChildProcess shell = Shell("read line; echo out $line; echo error $line >&2; exit 3");
        await shell.StandardInput.WriteLineAsync("x");
        Assert.Equal("error x\n", await TextOf(shell.StandardError));
        Assert.Equal("out x\n", await TextOf(shell.StandardOutput));
        Assert.Equal(3, await ExitOf(shell));
    });

    [Fact]
    public void What_a_child_has_written_is_read_after_its_exit() => Run(async () =>
    {
        await using ChildProcess shell = Shell("head -c 60000 /dev/zero; echo end");
        Assert.Equal(0, await ExitOf(shell));
        await Turns(3);
        Assert.Equal(60_004, (await shell.StandardOutput.ReadUntilCloseAsync()).Length);
    });

    [Fact]
    public void A_process_left_behind_with_the_pipes_delays_neither_the_exit_nor_the_end_of_the_output() => Run(async () =>
    {
        await using ChildProcess shell = Shell("sleep 60 & echo $!");
        string id = await TextOf(shell.StandardOutput);
        Assert.Empty(await shell.StandardError.ReadUntilCloseAsync());
        Assert.Equal(CloseReason.EndOfStream, shell.StandardOutput.CloseReason);
        Assert.Equal(0, await ExitOf(shell));
        Process.GetProcessById(int.Parse(id)).Kill();
    });

    [Fact]
    public void The_output_of_a_process_left_behind_is_read_where_that_is_wanted() => Run(async () =>
    {
        await using ChildProcess shell = Shell("exec 3<&0; { read line <&3; echo $line; } & echo now", new() { OutputEndsAtExit = false });
        Assert.Equal("now", await shell.StandardOutput.ReadLineAsync());
        Assert.Equal(0, await ExitOf(shell));
        await shell.StandardInput.WriteLineAsync("late");
        Assert.Equal("late\n", await TextOf(shell.StandardOutput));
    });

    [Fact]
    public void Errors_are_drained_beside_and_their_last_part_is_kept() => Run(async () =>
    {
        await using ChildProcess shell = Shell("head -c 1000000 /dev/zero | tr '\\0' e >&2; printf 'the end' >&2; echo done");
        Task<byte[]> errors = shell.DrainErrorAsync(keep: 10);
        Assert.Equal("done\n", await TextOf(shell.StandardOutput));
        Assert.Equal("eeethe end", Encoding.ASCII.GetString(await errors.WaitAsync(Limit)));
        Assert.Equal(0, await ExitOf(shell));
    });

    [Theory]
    [InlineData(0, 100, "")]
    [InlineData(3, 3, "012")]
    [InlineData(13, 5, "89012")]
    [InlineData(70_000, 7, "3456789")]
    [InlineData(9, 0, "")]
    public void Of_drained_errors_the_last_bytes_are_kept(int written, int keep, string expected) => Run(async () =>
    {
        await using ChildProcess shell = Shell($"exec 3>&2 2>/dev/null; yes 0123456789 | tr -d '\\n' | head -c {written} >&3");
        Assert.Equal(expected, Encoding.ASCII.GetString(await shell.DrainErrorAsync(keep).WaitAsync(Limit)));
    });

    [Fact]
    public void All_errors_can_be_kept() => Run(async () =>
    {
        await using ChildProcess shell = Shell("exec 3>&2 2>/dev/null; yes 0123456789 | tr -d '\\n' | head -c 300000 >&3");
        byte[] errors = await shell.DrainErrorAsync(int.MaxValue).WaitAsync(Limit);
        Assert.Equal(300_000, errors.Length);
        for (int i = 0; i < errors.Length; i++) Assert.Equal((byte)('0' + (i % 10)), errors[i]);
    });

    [Fact]
    public void Draining_ends_with_the_stream_of_errors() => Run(async () =>
    {
        ChildProcess shell = Shell("echo first >&2; echo ready; sleep 60");
        Task<byte[]> errors = shell.DrainErrorAsync();
        Assert.Equal("ready", await shell.StandardOutput.ReadLineAsync());
        await Turns(3);
        await shell.DisposeAsync();
        Assert.Equal("first\n"u8.ToArray(), await errors.WaitAsync(Limit));
    });

    [Fact]
    public void At_its_time_limit_a_child_is_killed_with_its_descendants()
    {
        ManualTimeProvider clock = new();
        Run(
            async () =>
            {
                // The pipe ends when the last process that holds it has been killed.
                ChildProcessOptions options = new() { TimeLimit = TimeSpan.FromSeconds(5), OutputEndsAtExit = false };
                await using ChildProcess shell = Shell("sleep 100 & echo ready; wait", options);
                Assert.Equal("ready", await shell.StandardOutput.ReadLineAsync());
                clock.Advance(TimeSpan.FromSeconds(4));
                await Turns(3);
                Assert.False(shell.HasExited);
                clock.Advance(TimeSpan.FromSeconds(1));
                TimeoutException late = await Assert.ThrowsAsync<TimeoutException>(() => ExitOf(shell));
                Assert.Contains("00:00:05", late.Message, StringComparison.Ordinal);
                Assert.Equal("", await TextOf(shell.StandardOutput));
            },
            options => options.TimeProvider = clock);
    }

    [Fact]
    public void A_child_that_exits_before_its_time_limit_is_not_late() => Run(async () =>
    {
        await using ChildProcess child = ChildProcess.Start(new ProcessStartInfo("true"), new() { TimeLimit = TimeSpan.FromHours(1) });
        Assert.Equal(0, await ExitOf(child));
    });

    [Fact]
    public void A_child_may_end_itself_when_it_is_stopped() => Run(async () =>
    {
        foreach (TimeSpan grace in (TimeSpan[])[Limit, TimeSpan.MaxValue, Timeout.InfiniteTimeSpan]) await EndsItselfWithin(grace);
    });

    private async Task EndsItselfWithin(TimeSpan grace)
    {
        await using ChildProcess shell = Shell("trap 'exit 7' TERM; echo ready; while :; do read line; done");
        Assert.Equal("ready", await shell.StandardOutput.ReadLineAsync());
        Assert.Equal(7, await shell.StopAsync(grace).WaitAsync(Limit));
        shell.Terminate();
        shell.Kill();
        Assert.Equal(7, await shell.StopAsync(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(grace), () => { _ = shell.StopAsync(TimeSpan.FromTicks(-2)); });
    }

    [Fact]
    public void A_child_that_does_not_end_in_time_is_killed()
    {
        ManualTimeProvider clock = new();
        Run(
            async () =>
            {
                await using ChildProcess shell = Shell("trap '' TERM; echo ready; while :; do read line; done");
                Assert.Equal("ready", await shell.StandardOutput.ReadLineAsync());
                Task<int> stop = shell.StopAsync(TimeSpan.FromSeconds(5));
                await Turns(3);
                Assert.False(stop.IsCompleted);
                clock.Advance(TimeSpan.FromSeconds(5));
                Assert.Equal(128 + 9, await stop.WaitAsync(Limit));
            },
            options => options.TimeProvider = clock);
    }

    [Fact]
    public void Disposing_kills_a_child_unless_it_is_left_to_run() => Run(async () =>
    {
        ChildProcess killed = ChildProcess.Start(new ProcessStartInfo("sleep", "60"));
        await killed.DisposeAsync();
        Assert.Equal(128 + 9, await ExitOf(killed));
        ChildProcess left = ChildProcess.Start(new ProcessStartInfo("sleep", "60"), new() { KillOnDispose = false });
        await left.DisposeAsync();
        Assert.False(left.HasExited);
        left.Kill();
        Assert.Equal(128 + 9, await ExitOf(left));
    });

    [Fact]
    public void A_cancelled_wait_ends_the_wait_alone() => Run(async () =>
    {
        await using ChildProcess cat = ChildProcess.Start(new ProcessStartInfo("cat"));
        using CancellationTokenSource cancel = new();
        Task<int> wait = cat.WaitForExitAsync(cancel.Token);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        await cat.StandardInput.CloseAsync();
        Assert.Equal(0, await ExitOf(cat));
    });

    [Fact]
    public void What_is_not_redirected_is_inherited_and_the_callers_object_stays_as_it_was() => Run(async () =>
    {
        ProcessStartInfo info = new("sh", ["-c", "echo x"]) { RedirectStandardError = true };
        await using ChildProcess shell = ChildProcess.Start(info, new() { Redirect = StandardStreams.Output });
        Assert.Equal((false, false, true), (info.RedirectStandardInput, info.RedirectStandardOutput, info.RedirectStandardError));
        InvalidOperationException none = Assert.Throws<InvalidOperationException>(() => shell.StandardInput);
        Assert.Contains("input is not redirected", none.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => shell.StandardError);
        Assert.Throws<InvalidOperationException>(() => { _ = shell.DrainErrorAsync(); });
        Assert.Equal("x\n", await TextOf(shell.StandardOutput));
    });

    [Fact]
    public void A_start_that_fails_says_why_and_leaves_nothing_behind() => Run(() =>
    {
        ProcessStartInfo cat = new("cat");
        Assert.Throws<Win32Exception>(() => ChildProcess.Start(new ProcessStartInfo("/nowhere/at/all")));
        Assert.Throws<ArgumentNullException>(() => ChildProcess.Start(null!));
        Assert.Throws<ArgumentException>(() => ChildProcess.Start(new ProcessStartInfo()));
        Assert.Throws<ArgumentException>(() => ChildProcess.Start(new ProcessStartInfo("cat") { UseShellExecute = true }));
        Assert.Throws<ArgumentOutOfRangeException>(() => ChildProcess.Start(cat, new() { TimeLimit = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => ChildProcess.Start(cat, new() { Redirect = (StandardStreams)8 }));
        IOLoop disposed = new();
        disposed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ChildProcess.Start(cat, loop: disposed));
        return Task.CompletedTask;
    });

    [Fact]
    public void A_child_is_used_from_any_thread() => Run(() => Task.Run(async () =>
    {
        ProcessStartInfo info = new("sh", ["-c", "read line; echo $line; echo late >&2"]);
        await using ChildProcess shell = ChildProcess.Start(info, loop: Loop);
        Task<byte[]> errors = shell.DrainErrorAsync();
        await shell.StandardInput.WriteLineAsync("word");
        Assert.Equal("word\n", await TextOf(shell.StandardOutput));
        Assert.Equal("late\n"u8.ToArray(), await errors.WaitAsync(Limit));
        Assert.Equal(0, await ExitOf(shell));
    }));

    private static ChildProcess Shell(string script, ChildProcessOptions? options = null) =>
        ChildProcess.Start(new ProcessStartInfo("sh", ["-c", script]), options);

    private static Task<int> ExitOf(ChildProcess child) => child.WaitForExitAsync().WaitAsync(Limit);

    private static async Task<string> TextOf(PipeIOStream stream) =>
        Encoding.ASCII.GetString(await stream.ReadUntilCloseAsync().AsTask().WaitAsync(Limit));
}
