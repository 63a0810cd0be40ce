namespace Waterspout.Tests;

public sealed class SynchronizationContextTests : LoopTest
{
    [Fact]
    public void An_await_comes_back_to_the_loop() => Run(async () =>
    {
        await Task.Run(() => Assert.False(Loop.IsCurrent));
        Assert.True(Loop.IsCurrent);
    });

    [Fact]
    public void Send_from_another_thread_runs_on_the_loop_before_it_returns() => Run(async () =>
    {
        IOLoop loop = Loop;
        SynchronizationContext context = SynchronizationContext.Current!;
        bool wasOnLoop = false;
        await Task.Run(() => context.Send(_ => wasOnLoop = loop.IsCurrent, null));
        Assert.True(wasOnLoop);
    });

    [Fact]
    public void Send_on_the_loop_runs_at_once() => Run(() =>
    {
        bool hasRun = false;
        SynchronizationContext.Current!.Send(_ => hasRun = true, null);
        Assert.True(hasRun);
        return Task.CompletedTask;
    });

    [Fact]
    public void Send_throws_what_the_callback_throws() => Run(async () =>
    {
        SynchronizationContext context = SynchronizationContext.Current!;
        await Task.Run(() => Assert.Throws<InvalidDataException>(() => context.Send(_ => throw new InvalidDataException("on purpose"), null)));
    });

    [Fact]
    public void What_is_posted_after_the_loop_was_disposed_still_runs() => Check(() =>
    {
        SynchronizationContext context = Loop.RunSync(() => Task.FromResult(SynchronizationContext.Current!), Limit);
        Loop.Dispose();
        using ManualResetEventSlim ran = new();
        context.Post(_ => ran.Set(), null);
        Assert.True(ran.Wait(Limit));
    });

    [Fact]
    public void Code_that_awaits_when_the_loop_is_disposed_reaches_its_finally() => Check(() =>
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ManualResetEventSlim released = new();
        Loop.AddCallback(async () =>
        {
            try
            {
                await gate.Task;
            }
            finally
            {
                released.Set();
            }
        });
        Loop.RunSync(() => Task.CompletedTask, Limit);
        Loop.Dispose();
        gate.SetResult();
        Assert.True(released.Wait(Limit));
    });

    [Fact]
    public void The_context_of_the_thread_comes_back_when_the_loop_ends() => Check(() =>
    {
        SynchronizationContext outer = new();
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(outer);
        try
        {
            Loop.RunSync(() => Task.CompletedTask, Limit);
            Assert.Same(outer, SynchronizationContext.Current);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    });
}
