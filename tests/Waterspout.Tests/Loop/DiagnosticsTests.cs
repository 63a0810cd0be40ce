using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class DiagnosticsTests : LoopTest
{
    // In its first turns, up to this number, a blocked loop is no warning.
    private const int FirstTurns = 100;

    private static readonly TimeSpan s_threshold = TimeSpan.FromMilliseconds(1);

    // Before the test's loop is created. The process that started the tests may have left some open.
    private readonly string[] _inheritedBefore = Inherited();

    [Fact]
    public void A_callback_that_holds_the_loop_is_logged_and_counted() => Run(async () =>
    {
        ExpectLog("held loop"); // on a busy machine, of others too
        await Turns(FirstTurns);
        long before = Loop.Counters.Stalls;
        Loop.AddCallback(Spin);
        await Task.Yield();
        await Task.Yield();
        Assert.True(Loop.Counters.Stalls > before);
        Assert.Contains(Log.Lines, line => line.Level == LogLevel.Warning && line.Message.EndsWith($".{nameof(Spin)}."));
    }, options => options.StallThreshold = s_threshold);

    [Fact]
    public void A_timer_that_holds_the_loop_is_logged() => Run(async () =>
    {
        ExpectLog("held loop");
        await Turns(FirstTurns);
        TaskCompletionSource done = new();
        Loop.CallLater(TimeSpan.Zero, () =>
        {
            Spin();
            done.SetResult();
        });
        await done.Task;
    }, options => options.StallThreshold = s_threshold);

    [Fact]
    public void A_handler_that_holds_the_loop_is_logged() => Run(async () =>
    {
        ExpectLog("held loop");
        await Turns(FirstTurns);
        using TestEventFd ready = new();
        TaskCompletionSource done = new();
        Loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            Loop.RemoveHandler(fd);
            Spin();
            done.SetResult();
        });
        ready.Signal();
        await done.Task;
    }, options => options.StallThreshold = s_threshold);

    [Fact]
    public void In_its_first_turns_when_code_is_compiled_a_loop_is_not_warned_of_but_counted() => Run(async () =>
    {
        long before = Loop.Counters.Stalls;
        Loop.AddCallback(Spin);
        await Turns(2);
        Assert.True(Loop.Counters.Stalls > before);
        Assert.Contains(Log.Lines, line => line.Level == LogLevel.Debug && line.Message.Contains(nameof(Spin)));
    }, options => options.StallThreshold = s_threshold);

    [Fact]
    public void The_meter_reports_what_a_loop_has_done() => Run(async () =>
    {
        (IOStream first, IOStream second) = IOStream.CreatePair();
        Assert.Equal(2, Measure()["waterspout.streams.open"]);
        await first.WriteAsync("four"u8);
        await second.ReadBytesAsync(4);
        await Task.Yield();
        Dictionary<string, double> values = Measure();
        Assert.Equal(4, values["waterspout.bytes.sent"]);
        Assert.Equal(4, values["waterspout.bytes.received"]);
        Assert.True(values["waterspout.loop.turns"] >= 1);
        Assert.Equal(0, values["waterspout.loop.stalls"]);
        Assert.Contains("waterspout.connections.accepted", values);
        Assert.Contains("waterspout.callbacks.waiting", values);
        Assert.Contains("waterspout.loop.busy_time", values);
        first.Close();
        second.Close();
        values = Measure();
        Assert.Equal(0, values["waterspout.streams.open"]);
        Assert.Equal(2, values["waterspout.streams.closed Local"]);
        Assert.Equal(0, values["waterspout.streams.closed Timeout"]);
        Assert.Contains("waterspout.reads.timed_out", values);
        Assert.Contains("waterspout.tls.handshakes.done", values);
        Assert.Equal(0, values["waterspout.tls.handshakes.failed timeout"]);
    }, options => options.Name = nameof(The_meter_reports_what_a_loop_has_done));

    [Fact]
    public void A_disposed_loop_is_measured_no_more() => Check(() =>
    {
        Assert.NotEmpty(Measure());
        Loop.Dispose();
        Assert.Empty(Measure());
    }, options => options.Name = nameof(A_disposed_loop_is_measured_no_more));

    [Fact]
    public void No_descriptor_is_inherited_by_child_processes() => Run(async () =>
    {
        (IOStream first, _) = IOStream.CreatePair();
        _ = PipeIOStream.CreatePair();
        await using TcpServer server = new(_ => Task.CompletedTask);
        server.Listen(0, "127.0.0.1");
        await first.WriteAsync("x"u8);
        Assert.Empty(Inherited().Except(_inheritedBefore));
    });

    private static string[] Inherited() => [.. Directory.GetFiles("/proc/self/fd").Where(IsInherited)];

    private static bool IsInherited(string path)
    {
        try
        {
            return IsOpenOnExec(path);
        }
        catch (IOException)
        {
            return false; // closed meanwhile: the directory's own descriptor is, and those of threads that start
        }
    }

    private static bool IsOpenOnExec(string path)
    {
        const int CloseOnExec = 0x80000;
        int fd = int.Parse(Path.GetFileName(path));
        string? target = new FileInfo(path) is { LinkTarget: { } link } ? link : null;
        if (fd <= 2 || target is null || !(target.StartsWith("socket:") || target.StartsWith("pipe:") || target.StartsWith("anon_inode:"))) return false;
        string flags = File.ReadLines($"/proc/self/fdinfo/{fd}").First(line => line.StartsWith("flags:"))[6..].Trim();
        return (Convert.ToInt32(flags, 8) & CloseOnExec) == 0;
    }

    private static void Spin()
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (watch.Elapsed < 3 * s_threshold)
        {
        }
    }

    private Dictionary<string, double> Measure() => Measurements.Of(Loop.Name);
}
