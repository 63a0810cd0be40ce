namespace Waterspout.Tests;

/// <summary>Tests whose bodies run on their own loop, and that must leave nothing behind.</summary>
/// <remarks>
/// After the body the loop is disposed. Then the test fails if something was logged at Warning or above that was not announced by
/// <see cref="ExpectLog"/>, if a descriptor was left open, or if a task failed unobserved.
/// </remarks>
public abstract class LoopTest
{
    /// <summary>A guard against hanging, not a measure: far longer than any test takes.</summary>
    protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static int s_loops;

    private IOLoop? _loop;

    protected RecordedLog Log { get; } = new();

    /// <summary>For other loops that a test creates.</summary>
    protected PollerKind Poller { get; } = Setting.Current.Poller;

    /// <summary>The loop of the running test.</summary>
    protected IOLoop Loop => _loop ?? throw new InvalidOperationException("There is a loop within a body only.");

    /// <summary>The test provokes a warning or an error that contains this.</summary>
    protected void ExpectLog(string part) => Log.Expect(part);

    /// <summary>The test closes a stream before everything has been sent.</summary>
    protected void ExpectUnsent() => ExpectLog("bytes were written and not sent");

    /// <summary>Runs a body on the loop, and checks what it has left behind.</summary>
    protected void Run(Func<Task> body, Action<IOLoopOptions>? configure = null) => Check(() => Loop.RunSync(body, Limit), configure);

    /// <summary>Calls a body on the test's own thread with a loop that does not run yet, and checks what it has left behind.</summary>
    protected void Check(Action body, Action<IOLoopOptions>? configure = null)
    {
        using UnobservedExceptions unobserved = new();
        OpenDescriptors descriptors = new();
        try
        {
            UseLoop(body, configure);
            unobserved.Check();
            Log.Check();
            descriptors.CheckNothingIsLeft();
        }
        catch
        {
            foreach (LogLine line in Log.Lines.TakeLast(50)) TestContext.Current.TestOutputHelper?.WriteLine(line.ToString());
            throw;
        }
    }

    /// <summary>Resumes in the loop's next turn.</summary>
    protected Task Turn()
    {
        TaskCompletionSource next = new();
        Loop.AddCallback(next.SetResult);
        return next.Task;
    }

    protected async Task Turns(int count)
    {
        for (int i = 0; i < count; i++) await Turn();
    }

    /// <summary>A random number generator whose seed is shown by a failed test. Set WATERSPOUT_SEED to run with the same one.</summary>
    protected static Random NewRandom()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("WATERSPOUT_SEED"), out int given) ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"WATERSPOUT_SEED={seed}");
        return new Random(seed);
    }

    private void UseLoop(Action body, Action<IOLoopOptions>? configure)
    {
        // On a busy machine any callback may stall, and that is not what is tested here.
        IOLoopOptions options = new()
        {
            Poller = Poller,
            LoggerFactory = Log,
            StallThreshold = Timeout.InfiniteTimeSpan,
            // Of its own: the metrics of loops of the same name are added up.
            Name = $"IOLoop {Interlocked.Increment(ref s_loops)}",
        };
        configure?.Invoke(options);
        using IOLoop loop = _loop = new IOLoop(options);
        try
        {
            body();
        }
        finally
        {
            _loop = null;
        }
    }
}
