using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace Waterspout.Reads;

/// <summary>The outcome of checking the buffer for a read.</summary>
internal enum ReadProgress
{
    /// <summary>More bytes are needed.</summary>
    Pending,

    /// <summary>The read has its result, or the error of the user's parser.</summary>
    Finished,

    /// <summary>No further bytes can satisfy the read: its limit is exceeded.</summary>
    Unsatisfiable,

    /// <summary>There is a result, but it is longer than the stream may buffer.</summary>
    BufferFull,

    /// <summary>EOF has been received: nothing more will arrive.</summary>
    Ended,
}

/// <summary>A pending read: what it needs, and how it takes it. Each kind of read is one subclass.</summary>
/// <remarks>
/// Life: rented and filled in by the read's method; <see cref="TryFinish"/> after each arrival of data, until it no longer returns Pending.
/// Then either the result is taken at once (the read completed within its call), or <see cref="Signal"/> wakes the awaiter, whose GetResult
/// returns the object to its pool. Used on the loop's thread, except for the awaiter's side.
/// </remarks>
internal abstract class ReadOperation
{
    private CancellationTokenRegistration _cancellation;

    internal IReadOwner Owner { get; set; } = null!;

    /// <summary>Distinguishes uses of this pooled object, so that a stale cancellation is ignored.</summary>
    internal abstract short Version { get; }

    /// <summary>The method that users call for it.</summary>
    internal abstract string Name { get; }

    /// <summary>The caller's limit in bytes.</summary>
    internal virtual int Limit => int.MaxValue;

    /// <summary>What the limit is for, as the error names it.</summary>
    internal virtual string Unit => "What comes before the delimiter or match";

    /// <summary>Checks what has arrived since the last check, and takes its bytes if that is enough.</summary>
    internal abstract ReadProgress TryFinish(ReadBuffer buffer);

    /// <summary>Called at EOF: completes with what there is, if this kind of read does that.</summary>
    internal virtual ReadProgress TryFinishAtEof(ReadBuffer buffer) => ReadProgress.Pending;

    /// <summary>Regular EOF is a result, and so can be reported repeatedly.</summary>
    internal virtual bool EofIsAResult => false;

    /// <summary>The read uses the buffer's view, and so does the next one of its kind.</summary>
    internal virtual bool KeepsView => false;

    /// <summary>The read is a close's, and no user's.</summary>
    internal virtual bool IsDrain => false;

    /// <summary>Received data is unrelated to what is in the buffer.</summary>
    internal virtual bool BypassesBuffer => false;

    /// <summary>
    /// The buffered data belongs to the read, and stays in the buffer until completion: received data goes after its place in the target.
    /// </summary>
    internal virtual bool LeavesBuffer => false;

    /// <summary>
    /// Where to receive directly, bypassing the buffer; empty to go through the buffer. Throws if the caller's memory is disposed.
    /// </summary>
    internal virtual Memory<byte> GetDirectSpace() => default;

    /// <summary>This number of bytes was received into the direct space.</summary>
    internal virtual void ReceivedDirectly(int count) => Debug.Fail("This read has no direct space.");

    /// <summary>The read ends without a result: bytes it has already taken are returned to the buffer.</summary>
    internal virtual void Unread(ReadBuffer buffer)
    {
    }

    /// <summary>
    /// The error where the regular end of the stream leaves the read with a part of what it needs; null where there is no more to say than
    /// that.
    /// </summary>
    internal virtual Exception? Truncation(ReadBuffer buffer) => null;

    internal abstract void Fail(Exception error);

    /// <summary>Wakes the awaiter, on this stack.</summary>
    internal abstract void Signal();

    internal void RegisterCancellation(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        _cancellation = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            ReadOperation read = (ReadOperation)state!;
            read.Owner.RequestCancelRead(read, read.Version, token);
        }, this);
    }

    // Dispose waits for a cancellation callback that runs on another thread, which only queues a call. After that, this object may be
    // reused: a callback that still ran would see the version of the next read.
    internal void UnregisterCancellation()
    {
        _cancellation.Dispose();
        _cancellation = default;
    }

    /// <summary>Whether a read may continue, or complete, with a result of this number of bytes, or of more.</summary>
    protected ReadProgress CheckLimits(int length)
    {
        if (length > Limit) return ReadProgress.Unsatisfiable;
        return length > Owner.BufferLimit ? ReadProgress.BufferFull : ReadProgress.Pending;
    }
}

/// <summary>A pending read with a result of type <typeparamref name="T"/>.</summary>
internal abstract class ReadOperation<T> : ReadOperation, IValueTaskSource<T>
{
    // The source has no value of its own: the result is known before the awaiter is woken, and is stored in its own field.
    private ManualResetValueTaskSourceCore<bool> _source;
    private T _result = default!;
    // The awaiter, which is named if it blocks the loop; the error once the read fails. An idle stream has no room for both.
    private object? _awaiterOrError;

    internal override short Version => _source.Version;

    internal ValueTask<T> Task => new(this, _source.Version);

    internal override void Fail(Exception error) => _awaiterOrError = error;

    internal override void Signal()
    {
        Exception? error = _awaiterOrError as Exception;
        Owner.Loop.SetRunning(error is null ? _awaiterOrError : Owner);
        if (error is null) _source.SetResult(true);
        else _source.SetException(error);
    }

    /// <summary>The outcome of a read that finished within its call.</summary>
    internal ValueTask<T> TakeResult()
    {
        ValueTask<T> outcome = _awaiterOrError is Exception error ? ValueTask.FromException<T>(error) : new ValueTask<T>(_result);
        Recycle();
        return outcome;
    }

    T IValueTaskSource<T>.GetResult(short token)
    {
        try
        {
            _source.GetResult(token);
            return _result;
        }
        finally
        {
            // With a stale token GetResult throws, and the object is already in use for another read.
            if (token == _source.Version && _source.GetStatus(token) != ValueTaskSourceStatus.Pending) Recycle();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _source.RunContinuationsAsynchronously = !Owner.Loop.MayResumeInline(ref flags);
        _awaiterOrError ??= state;
        _source.OnCompleted(continuation, state, token, flags);
    }

    protected ReadProgress Finish(T result)
    {
        _result = result;
        return ReadProgress.Finished;
    }

    /// <summary>Passes bytes of the buffer to the user's parser. They are consumed even if it throws: they were framed.</summary>
    protected ReadProgress Finish(ReadBuffer buffer, int count, Func<ReadOnlySpan<byte>, T> parse)
    {
        try
        {
            return Finish(parse(buffer.Data[..count]));
        }
        finally
        {
            buffer.Consume(count);
        }
    }

    /// <summary>Clears the state of this use and returns the object to the pool.</summary>
    protected abstract void Return();

    /// <summary>Returns the object to its pool, without an outcome.</summary>
    internal void Recycle()
    {
        _source.Reset();
        _result = default!;
        _awaiterOrError = null;
        Owner = null!;
        Return();
    }
}
