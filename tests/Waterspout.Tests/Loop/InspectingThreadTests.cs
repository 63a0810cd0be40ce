namespace Waterspout.Tests;

/// <summary>A loop says what its streams do to any thread, and a busy one keeps nobody waiting for ever.</summary>
[OnEachPoller]
public sealed class InspectingThreadTests : LoopTest
{
    [Fact]
    public void Another_thread_gets_the_same_list() => Run(async () =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        string[] names = [$"{left}", $"{right}"];
        IReadOnlyList<StreamInfo> blocking = await Task.Run(Loop.GetStreams);
        IReadOnlyList<StreamInfo> awaiting = await Task.Run(() => Loop.GetStreamsAsync());
        Assert.Equal(names, blocking.Select(info => info.Name).Order());
        Assert.Equal(names, awaiting.Select(info => info.Name).Order());
        Assert.Equal(names, (await Loop.GetStreamsAsync()).Select(info => info.Name).Order());
    });

    [Fact]
    public void A_loop_that_nobody_runs_is_inspected_by_the_caller_and_a_disposed_one_has_no_streams() => Check(() =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair(loop: Loop);
        Loop.RunSync(() => Task.CompletedTask); // in which they are registered
        Assert.Equal(2, Loop.GetStreams().Count);
        left.Close();
        right.Close();
        Loop.Dispose();
        Assert.Empty(Loop.GetStreams());
    });

    [Fact]
    public void A_busy_loop_is_named_with_what_it_runs() => Run(() =>
    {
        // This callback is what keeps the loop busy, until the other thread has given up.
        TimeoutException? error = null;
        Thread other = new(() => error = Assert.Throws<TimeoutException>(() => Loop.GetStreams()));
        other.Start();
        other.Join();
        Assert.Contains(nameof(A_busy_loop_is_named_with_what_it_runs), error!.Message);
        return Task.CompletedTask;
    });

    [Fact]
    public void The_wait_for_a_busy_loop_can_be_cancelled() => Run(() =>
    {
        using CancellationTokenSource source = new();
        OperationCanceledException? error = null;
        Thread other = new(() =>
        {
            Task<IReadOnlyList<StreamInfo>> inspecting = Loop.GetStreamsAsync(source.Token);
            source.Cancel();
            error = Assert.ThrowsAny<OperationCanceledException>(() => inspecting.GetAwaiter().GetResult());
        });
        other.Start();
        other.Join();
        Assert.NotNull(error);
        return Task.CompletedTask;
    });
}
