using System.Buffers;
using Waterspout.Loop;
using Waterspout.Reads;
using Waterspout.Writes;

namespace Waterspout;

// Calls from threads other than the loop's. Each call has its state and a static lambda: a closure over a method's parameters would be
// allocated at the start of the method, on the loop too, whose own path must not pay for it.
public abstract partial class BaseIOStream
{
    private OffLoopCalls? _offLoopCalls;

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
        OffLoopCalls.BeginRead();
        ForwardedRead<TState, T> forwarded = new(this, state, read) { MayBeIgnored = true };
        return Loop.TryPost(forwarded, static forwarded => forwarded.Run())
            ? new ValueTask<T>(forwarded.Task)
            : ValueTask.FromException<T>(ClosedException());
    }

    /// <summary>A read for a caller on another thread. What is buffered behind it is lent to such callers.</summary>
    private sealed class ForwardedRead<TState, T>(BaseIOStream stream, TState state, Func<BaseIOStream, TState, ValueTask<T>> read)
        : ForwardedCall<(BaseIOStream Stream, TState State, Func<BaseIOStream, TState, ValueTask<T>> Read), T>((stream, state, read), Start)
    {
        private protected override void OnEnded() => stream.LendBuffer();

        private static ValueTask<T> Start((BaseIOStream Stream, TState State, Func<BaseIOStream, TState, ValueTask<T>> Read) call)
        {
            ValueTask<T> started = call.Read(call.Stream, call.State);
            call.Stream.OffLoopCalls.EndRead();
            return started;
        }
    }

    /// <summary>Received data is lent to other threads, and no read of theirs is before this one.</summary>
    private bool IsBufferLent(CancellationToken cancellationToken) =>
        _reads.IsLent && _offLoopCalls is not { IsReadCrossing: true } && !_state.IsMoved && !cancellationToken.IsCancellationRequested;

    /// <summary>Makes a read on the calling thread, if lent data satisfies it.</summary>
    private bool TryReadLent<T>(ReadOperation<T> read, out ValueTask<T> result)
    {
        read.Owner = this;
        if (!_reads.TryReadLent(read, out result, out bool isEmpty)) return false;
        if (isEmpty && _state.IsEofAnnounced) ProbeForEofLater();
        return true;
    }

    /// <inheritdoc cref="TryReadLent"/>
    private bool TryTakeLent<TRead, T>(TRead read, CancellationToken cancellationToken, out ValueTask<T> result)
        where TRead : IBufferedRead<T>, allows ref struct
    {
        result = default;
        if (!IsBufferLent(cancellationToken) || !_reads.TryTakeLent(read, out result, out bool isEmpty)) return false;
        if (isEmpty && _state.IsEofAnnounced) ProbeForEofLater();
        return true;
    }

    /// <summary>A read for another thread has ended, on the loop.</summary>
    private void LendBuffer()
    {
        if (_reads.IsFree && !_reads.IsParsing && !IsFailing && !_state.IsMoved) _reads.Lend();
    }

    /// <summary>The same for a write: <see cref="IsWriting"/> is true as soon as this has returned.</summary>
    private protected ValueTask WriteOffLoop<TState>(TState state, Func<BaseIOStream, TState, ValueTask> write)
    {
        OffLoopCalls.Writes.BeginCrossing();
        return OffLoop((Stream: this, state, write), static call =>
        {
            ValueTask started = call.write(call.Stream, call.state);
            // Only now: what other threads write from here on comes after it.
            call.Stream.OffLoopCalls.Writes.EndCrossing();
            return started;
        });
    }

    /// <summary>A small write: it joins others, and completes at once, while at most the high-water mark waits to be sent.</summary>
    private ValueTask WriteOffLoop(ReadOnlySpan<byte> data, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        return TryStage(data, out ValueTask written) ? written : CrossWithCopy(data, cancellationToken);
    }

    /// <returns>False if the write has to cross.</returns>
    private bool TryStage(ReadOnlySpan<byte> data, out ValueTask written)
    {
        written = default;
        if (IsClosed)
        {
            written = ValueTask.FromException(RefusedException());
            return true;
        }

        bool isOpen = _state.WriteEnd == WriteEnd.Open && !_state.EndsWrites;
        long room = Math.Min(Options.WriteHighWaterMark, Options.MaxWriteBufferSize) - Unsent;
        StagedWrites.Outcome outcome = isOpen ? OffLoopCalls.Writes.TryAdd(data, room) : StagedWrites.Outcome.Refused;
        if (outcome == StagedWrites.Outcome.Refused) return false;
        if (outcome == StagedWrites.Outcome.Begun && !Loop.TryPost(this, static stream => stream.SendStaged()))
            written = ValueTask.FromException(ClosedException());
        return true;
    }

    private ValueTask CrossWithCopy(ReadOnlySpan<byte> data, CancellationToken cancellationToken) =>
        WriteOffLoop((Data: data.ToArray(), cancellationToken),
            static (stream, call) => stream.WriteAsync((ReadOnlyMemory<byte>)call.Data, call.cancellationToken));

    private OffLoopCalls OffLoopCalls =>
        _offLoopCalls ?? Interlocked.CompareExchange(ref _offLoopCalls, new OffLoopCalls(), null) ?? _offLoopCalls;

    /// <summary>
    /// Takes what other threads have written. On the loop, before anything that depends on what is written: its calls returned earlier.
    /// </summary>
    private protected void TakeStaged()
    {
        if (_offLoopCalls?.Writes.Take(out int length) is not { } data) return;
        if (_state.EndsWrites || _state.WriteEnd != WriteEnd.Open)
        {
            // The close, or the end of the writes, came between the write and this turn.
            LogUnsent(length, Error, IsLostByPeer(CloseReason, Error));
        }
        else
        {
            _writes.Append(data.AsSpan(0, length));
        }

        ArrayPool<byte>.Shared.Return(data);
    }

    /// <summary>Called once for each batch, which a call on the loop may have taken before.</summary>
    private void SendStaged()
    {
        TakeStaged();
        if (Unsent > 0) QueueFlush();
    }

    private ValueTask CloseOffLoop(TimeSpan timeout)
    {
        (BaseIOStream Stream, TimeSpan timeout) state = (this, timeout);
        OffLoopCalls.Writes.BeginCrossing();
        Task<bool>? outcome = TryForward(
            state,
            static call =>
            {
                ValueTask closing = call.Stream.CloseAsync(call.timeout);
                call.Stream.OffLoopCalls.Writes.EndCrossing();
                return WithResultAsync(closing);
            },
            CloseAsync);
        if (outcome is not null) return new ValueTask(outcome);
        // The loop has ended, and has closed its streams.
        Close();
        return default;
    }

    private void AdvanceOffLoop(int count)
    {
        if (IsClosed) throw RefusedException();
        if (_offLoopCalls?.Reserved is not { } reserved) throw new InvalidOperationException("Call GetMemory first.");
        reserved.Advance(count);
        Write(reserved.WrittenSpan);
        reserved.ResetWrittenCount();
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
