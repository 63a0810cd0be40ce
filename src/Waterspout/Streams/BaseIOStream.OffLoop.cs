using System.Buffers;
using Waterspout.Loop;

namespace Waterspout;

// Calls from threads other than the loop's. Each call has its state and a static lambda: a closure over a method's parameters would be
// allocated at the start of the method, on the loop too, whose own path must not pay for it.
public abstract partial class BaseIOStream
{
    private int _readsOnTheirWay;
    private int _writesOnTheirWay;
    private ArrayBufferWriter<byte>? _staging;

    /// <summary>Makes a call on the loop for a caller on another thread, which awaits its outcome there.</summary>
    private protected ValueTask<T> OffLoop<TState, T>(TState state, Func<TState, ValueTask<T>> call) =>
        TryForward(state, call, call) is { } outcome ? new ValueTask<T>(outcome) : ValueTask.FromException<T>(ClosedException());

    /// <inheritdoc cref="OffLoop{TState, T}"/>
    private protected ValueTask OffLoop<TState>(TState state, Func<TState, ValueTask> call) =>
        TryForward((state, call), static forwarded => WithResultAsync(forwarded.call(forwarded.state)), call) is { } outcome
            ? new ValueTask(outcome)
            : ValueTask.FromException(ClosedException());

    /// <summary>The same for a read: <see cref="IsReading"/> is true as soon as this has returned.</summary>
    private ValueTask<T> ReadOffLoop<TState, T>(TState state, Func<BaseIOStream, TState, ValueTask<T>> read)
    {
        Interlocked.Increment(ref _readsOnTheirWay);
        return OffLoop((Stream: this, state, read), static call =>
        {
            ValueTask<T> started = call.read(call.Stream, call.state);
            Interlocked.Decrement(ref call.Stream._readsOnTheirWay);
            return started;
        });
    }

    /// <summary>The same for a write: <see cref="IsWriting"/> is true as soon as this has returned.</summary>
    private ValueTask WriteOffLoop<TState>(TState state, Func<BaseIOStream, TState, ValueTask> write)
    {
        Interlocked.Increment(ref _writesOnTheirWay);
        return OffLoop((Stream: this, state, write), static call =>
        {
            ValueTask started = call.write(call.Stream, call.state);
            Interlocked.Decrement(ref call.Stream._writesOnTheirWay);
            return started;
        });
    }

    private ValueTask CloseOffLoop(TimeSpan timeout)
    {
        (BaseIOStream Stream, TimeSpan timeout) state = (this, timeout);
        Task<bool>? outcome = TryForward(state, static call => WithResultAsync(call.Stream.CloseAsync(call.timeout)), CloseAsync);
        if (outcome is not null) return new ValueTask(outcome);
        // The loop has ended, and has closed its streams.
        Close();
        return default;
    }

    private void AdvanceOffLoop(int count)
    {
        if (IsClosed) throw ClosedException();
        if (_staging is null) throw new InvalidOperationException("Call GetMemory first.");
        _staging.Advance(count);
        Write(_staging.WrittenSpan);
        _staging.ResetWrittenCount();
    }

    /// <summary>Null if the loop has ended.</summary>
    private Task<T>? TryForward<TState, T>(TState state, Func<TState, ValueTask<T>> call, Delegate function)
    {
        // A write need not be awaited, so its failure must not surface as an unobserved exception.
        ForwardedCall<TState, T> forwarded = new(state, call) { Function = function, MayBeIgnored = true };
        return Loop.TryPost(forwarded, static forwarded => forwarded.Run()) ? forwarded.Task : null;
    }

    private static ValueTask<bool> WithResultAsync(ValueTask call)
    {
        return call.IsCompletedSuccessfully ? new ValueTask<bool>(true) : Async(call);

        static async ValueTask<bool> Async(ValueTask call)
        {
            await call;
            return true;
        }
    }
}
