using System.Runtime.CompilerServices;

namespace Waterspout.Tests;

/// <summary>An idle loop keeps nothing alive of what it did last.</summary>
/// <remarks>
/// Each test checks from another thread, and wakes the loop for nothing: an object that only another callback would release counts as kept
/// alive.
/// </remarks>
[OnEachPoller]
public sealed class ReleaseTests : LoopTest
{
    [Fact]
    public void What_a_callback_had_is_released() => Idle(Add);

    [Fact]
    public void What_a_call_from_another_thread_had_is_released() => Idle(Invoke);

    [Fact]
    public void What_a_timer_had_is_released() => Idle(Time);

    [Fact]
    public void What_a_timer_had_is_released_though_its_owner_keeps_it() => Idle(KeepTimer);

    [Fact]
    public void What_a_cancelled_timer_had_is_released() => Idle(CancelTimer);

    [Fact]
    public void What_the_handler_of_a_descriptor_had_is_released() => Idle(Handle);

    [Fact]
    public void What_a_stream_wrote_and_read_is_released_with_the_stream() => Idle(Converse);

    [Fact]
    public void A_stream_that_was_used_and_dropped_closes_its_connection() => Check(() =>
    {
        using RunningLoop running = new(Loop);
        using ManualResetEventSlim closed = new();
        IOStream left = Drop(running.Loop, closed.Set);
        for (int i = 0; i < 100 && !closed.IsSet; i++)
        {
            Collect();
            closed.Wait(TimeSpan.FromMilliseconds(100));
        }

        Assert.True(closed.IsSet, "The dropped stream is still held.");
        Assert.Equal(CloseReason.EndOfStream, left.CloseReason);
    });

    [Fact]
    public void What_flows_with_the_code_that_makes_a_loop_is_not_held_by_it() => Check(() =>
    {
        WeakReference held = Make(out IOLoop loop);
        // A pool thread that is just being started may keep it alive for a moment.
        Assert.True(SpinWait.SpinUntil(() => !IsAlive(held), Limit));
        loop.Dispose();
    });

    private static bool IsAlive(WeakReference held)
    {
        Collect();
        return held.IsAlive;
    }

    // None of these may be inlined: a register or a slot of the test's own frame would keep the object alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Make(out IOLoop loop)
    {
        AsyncLocal<object?> local = new() { Value = new object() };
        WeakReference held = new(local.Value);
        loop = new IOLoop(new IOLoopOptions { Poller = Poller });
        loop.RunSync(() => Task.CompletedTask);
        local.Value = null;
        return held;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Add(IOLoop loop)
    {
        object held = new();
        using ManualResetEventSlim ran = new();
        loop.AddCallback(() =>
        {
            GC.KeepAlive(held);
            ran.Set();
        });
        ran.Wait(Limit);
        return new WeakReference(held);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Invoke(IOLoop loop)
    {
        object held = new();
        loop.InvokeAsync(async () =>
        {
            await Task.Yield();
            GC.KeepAlive(held);
        }).Wait(Limit);
        return new WeakReference(held);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Time(IOLoop loop) => Time(loop, out _);

    private WeakReference KeepTimer(IOLoop loop)
    {
        WeakReference held = Time(loop, out IDisposable timer);
        _kept = timer;
        return held;
    }

    private object? _kept;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Time(IOLoop loop, out IDisposable timer)
    {
        object held = new();
        using ManualResetEventSlim ran = new();
        timer = loop.CallLater(TimeSpan.Zero, () =>
        {
            GC.KeepAlive(held);
            ran.Set();
        });
        ran.Wait(Limit);
        return new WeakReference(held);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference CancelTimer(IOLoop loop)
    {
        object held = new();
        IDisposable timer = loop.CallLater(TimeSpan.FromHours(1), () => GC.KeepAlive(held));
        timer.Dispose();
        _kept = timer;
        loop.RunSync(() => Task.CompletedTask, Limit);
        return new WeakReference(held);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Handle(IOLoop loop)
    {
        object held = new();
        using TestEventFd ready = new();
        using ManualResetEventSlim ran = new();
        loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            GC.KeepAlive(held);
            loop.RemoveHandler(fd);
            ran.Set();
        });
        ready.Signal();
        ran.Wait(Limit);
        return new WeakReference(held);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Converse(IOLoop loop)
    {
        (IOStream left, IOStream right) = IOStream.CreatePair(loop: loop);
        left.WriteAsync("four"u8).AsTask().Wait(Limit);
        right.ReadBytesAsync(4).AsTask().Wait(Limit);
        left.DisposeAsync().AsTask().Wait(Limit);
        right.DisposeAsync().AsTask().Wait(Limit);
        return new WeakReference(left);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IOStream Drop(IOLoop loop, Action closed)
    {
        (IOStream left, IOStream right) = IOStream.CreatePair(loop: loop);
        left.SetCloseCallback(closed);
        left.WriteAsync("four"u8).AsTask().Wait(Limit);
        right.ReadBytesAsync(4).AsTask().Wait(Limit);
        return left;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private void Idle(Func<IOLoop, WeakReference> use) => Check(() =>
    {
        using RunningLoop running = new(Loop);
        WeakReference held = use(running.Loop);
        // The callback has signalled, and its turn is about to end.
        for (int i = 0; i < 100 && held.IsAlive; i++)
        {
            Thread.Yield();
            Collect();
        }

        Assert.False(held.IsAlive);
        GC.KeepAlive(_kept);
    });
}
