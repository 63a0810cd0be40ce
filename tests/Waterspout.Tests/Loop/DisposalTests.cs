namespace Waterspout.Tests;

[OnEachPoller]
public sealed class DisposalTests : LoopTest
{
    [Fact]
    public void Disposing_a_loop_that_does_not_run_closes_its_streams_and_fails_what_was_pending() => Check(() =>
    {
        (IOStream first, IOStream second) = IOStream.CreatePair(loop: Loop);
        Task<byte[]> read = first.ReadBytesAsync(1).AsTask();
        Loop.RunSync(() => Task.CompletedTask, Limit);
        Assert.False(read.IsCompleted);
        Loop.Dispose();
        Assert.True(first.IsClosed && second.IsClosed);
        StreamClosedException error = Assert.Throws<StreamClosedException>(() => read.WaitAsync(Limit).GetAwaiter().GetResult());
        Assert.Equal(CloseReason.Local, error.Reason);
    });

    [Fact]
    public void Disposing_fails_a_write_that_waits() => Check(() =>
    {
        ExpectLog("bytes were written and not sent");
        (IOStream first, _) = IOStream.CreatePair(loop: Loop);
        Task write = first.WriteAsync(new byte[4 * 1024 * 1024]).AsTask();
        Loop.RunSync(() => Task.CompletedTask, Limit);
        Assert.False(write.IsCompleted);
        Loop.Dispose();
        Assert.Throws<StreamClosedException>(() => write.WaitAsync(Limit).GetAwaiter().GetResult());
    });

    [Fact]
    public void Disposing_from_another_thread_ends_the_loop_and_waits_for_it() => Check(() =>
    {
        RunningLoop running = new(Loop);
        (IOStream first, _) = IOStream.CreatePair(loop: Loop);
        Task<byte[]> read = first.ReadBytesAsync(1).AsTask();
        Loop.Dispose();
        running.Join();
        Assert.Throws<StreamClosedException>(() => read.WaitAsync(Limit).GetAwaiter().GetResult());
        Assert.Throws<ObjectDisposedException>(() => Loop.AddCallback(() => { }));
    });

    [Fact]
    public void Disposing_from_a_callback_ends_the_loop_after_the_turn() => Check(() =>
    {
        IOLoop loop = Loop;
        bool hasRunAfter = false;
        loop.AddCallback(loop.Dispose);
        loop.AddCallback(() => hasRunAfter = true);
        loop.Start();
        Assert.True(hasRunAfter);
        Assert.Throws<ObjectDisposedException>(loop.Start);
    });

    [Fact]
    public void Disposing_runs_the_callbacks_that_were_waiting() => Check(() =>
    {
        int ran = 0;
        for (int i = 0; i < 10; i++) Loop.AddCallback(() => ran++);
        Loop.AddCallback(() => Loop.AddCallback(() => ran++));
        Loop.Dispose();
        Assert.Equal(11, ran);
    });

    [Fact]
    public void A_callback_that_always_adds_itself_does_not_keep_a_loop_from_being_disposed() => Check(() =>
    {
        IOLoop loop = Loop;
        void Again() => loop.TryPost<Action>(Again, static again => again());
        Again();
        loop.Dispose();
        Assert.Throws<ObjectDisposedException>(() => loop.AddCallback(() => { }));
    });

    [Fact]
    public void Disposing_within_RunSync_does_not_leave_the_caller_waiting_for_ever() => Check(() =>
    {
        IOLoop loop = Loop;
        Task caller = Task.Run(() => loop.RunSync(async () =>
        {
            loop.Dispose();
            await new TaskCompletionSource().Task;
        }));
        Assert.Throws<ObjectDisposedException>(() => caller.WaitAsync(Limit).GetAwaiter().GetResult());
    });

    [Fact]
    public void Disposing_from_another_thread_ends_a_RunSync() => Check(() =>
    {
        IOLoop loop = Loop;
        using ManualResetEventSlim begun = new();
        Task caller = Task.Run(() => loop.RunSync(async () =>
        {
            begun.Set();
            await new TaskCompletionSource().Task;
        }));
        begun.Wait();
        Task.Run(loop.Dispose).WaitAsync(Limit).GetAwaiter().GetResult();
        Assert.Throws<ObjectDisposedException>(() => caller.WaitAsync(Limit).GetAwaiter().GetResult());
    });

    [Fact]
    public void A_disposed_loop_refuses_everything_but_being_disposed_again() => Check(() =>
    {
        IOLoop loop = Loop;
        loop.Dispose();
        loop.Dispose();
        loop.Stop();
        Assert.Throws<ObjectDisposedException>(() => loop.AddCallback(() => { }));
        Assert.IsType<ObjectDisposedException>(Record.Exception(() => { _ = loop.InvokeAsync(() => Task.CompletedTask); }));
        Assert.Throws<ObjectDisposedException>(() => loop.CallLater(TimeSpan.Zero, () => { }));
        Assert.Throws<ObjectDisposedException>(() => loop.CallEvery(TimeSpan.FromSeconds(1), () => { }));
        Assert.Throws<ObjectDisposedException>(loop.Start);
        Assert.Throws<ObjectDisposedException>(() => loop.RunSync(() => Task.CompletedTask));
        Assert.Throws<ObjectDisposedException>(() => IOStream.CreatePair(loop: loop));
        Assert.Throws<ObjectDisposedException>(() => PipeIOStream.CreatePair(loop: loop));
        using TestEventFd ready = new();
        Assert.Throws<ObjectDisposedException>(() => loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) => { }));
        Assert.Throws<ObjectDisposedException>(() => loop.RemoveHandler(ready.Fd));
    });

    [Fact]
    public void A_stream_of_a_disposed_loop_is_closed() => Check(() =>
    {
        (IOStream first, _) = IOStream.CreatePair(loop: Loop);
        Loop.Dispose();
        Assert.True(first.IsClosed);
        Assert.Throws<StreamClosedException>(() => first.ReadBytesAsync(1).AsTask().GetAwaiter().GetResult());
        Assert.Throws<StreamClosedException>(() => first.WriteAsync("x"u8).AsTask().GetAwaiter().GetResult());
        first.Close();
        Assert.True(first.Closed.IsCancellationRequested);
    });

    [Fact]
    public void A_timer_of_a_disposed_loop_can_be_cancelled() => Check(() =>
    {
        IDisposable timer = Loop.CallLater(TimeSpan.FromHours(1), () => { });
        Loop.Dispose();
        timer.Dispose();
    });
}
