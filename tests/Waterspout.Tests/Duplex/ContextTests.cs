using System.IO.Pipelines;

namespace Waterspout.Tests.Duplex;

/// <summary>
/// A synchronization context or a task scheduler of the user's may run code within the call that queues it. That code may do what any code
/// may, so nothing of the connection is locked meanwhile.
/// </summary>
[Contract("tcp")]
public sealed class ContextTests : DuplexPipeTest
{
    [Fact]
    public void A_read_that_receives() => CheckRead(static (left, _) => left.WriteAsync("x"u8).AsTask());

    [Fact]
    public void A_read_that_is_cancelled() => CheckRead(static (_, pipe) => Cancel(pipe));

    [Fact]
    public void A_read_whose_token_is_cancelled()
    {
        CancellationTokenSource source = null!;
        CheckBoth(
            async pipe =>
            {
                source = new CancellationTokenSource();
                await pipe.Input.ReadAsync(source.Token);
            },
            (_, _) => source.CancelAsync());
    }

    [Fact]
    public void A_read_that_meets_the_end() => CheckRead(static (left, _) => left.CompleteWritesAsync().AsTask());

    [Fact]
    public void A_read_of_a_connection_that_is_aborted() => CheckRead(static async (_, pipe) => await pipe.Output.CompleteAsync(new IOException("enough")));

    [Fact]
    public void A_flush_that_is_cancelled() => CheckFlush(static (_, pipe) =>
    {
        pipe.Output.CancelPendingFlush();
        return Task.CompletedTask;
    });

    [Fact]
    public void A_flush_that_the_peer_lets_pass() => CheckFlush((left, _) => left.ReadIntoAsync(new byte[Transport.MoreThanTheKernelTakes]).AsTask());

    [Fact]
    public void A_flush_of_a_connection_that_fails() => CheckFlush(static (left, _) =>
    {
        left.Close(new IOException("enough"));
        return Task.CompletedTask;
    });

    private static Task Cancel(IDuplexPipe pipe)
    {
        pipe.Input.CancelPendingRead();
        return Task.CompletedTask;
    }

    private void CheckRead(Func<BaseIOStream, IDuplexPipe, Task> end) => CheckBoth(static async pipe => await pipe.Input.ReadAsync(), end);

    private void CheckFlush(Func<BaseIOStream, IDuplexPipe, Task> end) =>
        CheckBoth(async pipe => await pipe.Output.WriteAsync(new byte[Transport.MoreThanTheKernelTakes]), end);

    private void CheckBoth(Func<IDuplexPipe, Task> wait, Func<BaseIOStream, IDuplexPipe, Task> end)
    {
        RunPipe((left, pipe) => Check(left, pipe, InContext(wait), end));
        RunPipe((left, pipe) => Check(left, pipe, InScheduler(wait), end));
    }

    private static async Task Check(BaseIOStream left, IDuplexPipe pipe, Func<IDuplexPipe, Task<bool>> wait, Func<BaseIOStream, IDuplexPipe, Task> end)
    {
        Task<bool> isFree = wait(pipe);
        Assert.False(isFree.IsCompleted);
        await end(left, pipe);
        Assert.True(await isFree);
    }

    private static Func<IDuplexPipe, Task<bool>> InContext(Func<IDuplexPipe, Task> wait) => async pipe =>
    {
        SynchronizationContext.SetSynchronizationContext(new InlineContext());
        Task<bool> isFree = IsFreeAfter(wait, pipe);
        SynchronizationContext.SetSynchronizationContext(null);
        return await isFree;
    };

    private static Func<IDuplexPipe, Task<bool>> InScheduler(Func<IDuplexPipe, Task> wait) => pipe =>
        Task.Factory.StartNew(() => IsFreeAfter(wait, pipe), default, TaskCreationOptions.None, new InlineScheduler()).Unwrap();

    /// <summary>Waits, and uses both sides on another thread then, which takes their locks.</summary>
    private static async Task<bool> IsFreeAfter(Func<IDuplexPipe, Task> wait, IDuplexPipe pipe)
    {
        try
        {
            await wait(pipe);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // It ends in many ways here.
        }

        Thread user = new(() =>
        {
            pipe.Input.CancelPendingRead();
            pipe.Output.CancelPendingFlush();
        });
        user.Start();
        return user.Join(Limit);
    }

    private sealed class InlineContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
            SynchronizationContext? outer = Current;
            SetSynchronizationContext(this);
            d(state);
            SetSynchronizationContext(outer);
        }
    }

    private sealed class InlineScheduler : TaskScheduler
    {
        protected override void QueueTask(Task task) => TryExecuteTask(task);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
