using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace Waterspout.Reads;

/// <summary>What became of a look at the buffer.</summary>
internal enum ReadProgress
{
    /// <summary>More bytes are needed.</summary>
    Pending,

    /// <summary>The read has its result, or the error of the user's parser.</summary>
    Finished,

    /// <summary>No bytes that may still come can satisfy the read: its limit is passed.</summary>
    Unsatisfiable,

    /// <summary>There is a result, but it is longer than the stream may buffer.</summary>
    BufferFull,
}

/// <summary>A read that waits: what it needs, and how it takes it. Each kind of read is one subclass.</summary>
/// <remarks>
/// Life: rented and filled in by the read's method; <see cref="TryFinish"/> after each arrival of data, until it does not
/// say Pending; then either the result is taken at once (the read completed within its call) or <see cref="Signal"/> wakes
/// the awaiter, whose GetResult returns the object to its pool. On the loop's thread, except for the awaiter's side.
/// </remarks>
internal abstract class ReadOperation
{
    private CancellationTokenRegistration _cancellation;

    internal BaseIOStream Stream { get; set; } = null!;

    /// <summary>Tells one use of this object from the next, to whom an old cancellation must do nothing.</summary>
    internal abstract short Version { get; }

    /// <summary>The bytes that the caller set as the limit.</summary>
    internal virtual int Limit => int.MaxValue;

    /// <summary>Looks at what has arrived since the last look, and takes its bytes if that is enough.</summary>
    internal abstract ReadProgress TryFinish(ReadBuffer buffer);

    /// <summary>The stream has ended: finishes with what there is, if this kind of read does that.</summary>
    internal virtual ReadProgress TryFinishAtEof(ReadBuffer buffer) => ReadProgress.Pending;

    /// <summary>The regular end is a result, and so can be told again and again.</summary>
    internal virtual bool EofIsAResult => false;

    /// <summary>The read only waits until there is something, and leaves it where it is.</summary>
    internal virtual bool IsSatisfiedByReadiness => false;

    /// <summary>What is received has nothing to do with what is in the buffer.</summary>
    internal virtual bool BypassesBuffer => false;

    /// <summary>What is in the buffer belongs to the read, and stays there until the end: what is received goes behind its place, and not behind it.</summary>
    internal virtual bool LeavesBuffer => false;

    /// <summary>Where to receive, past the buffer; empty to go through it. Throws where that is the caller's memory, and gone.</summary>
    internal virtual Memory<byte> GetDirectSpace() => default;

    /// <summary>So many bytes were received into the direct space.</summary>
    internal virtual void ReceivedDirectly(int count) => Debug.Fail("This read has no direct space.");

    /// <summary>The read ends without a result: bytes it has taken already go back.</summary>
    internal virtual void Unread(ReadBuffer buffer)
    {
    }

    internal abstract void Fail(Exception error);

    /// <summary>Wakes the awaiter, on this stack.</summary>
    internal abstract void Signal();

    internal void RegisterCancellation(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        _cancellation = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            ReadOperation read = (ReadOperation)state!;
            read.Stream.RequestCancelRead(read, read.Version, token);
        }, this);
    }

    // Dispose waits for a callback that runs on another thread, which only queues something. After it, this object may
    // be used again: a callback that still ran would take the next read's version for the one that it was meant for.
    internal void UnregisterCancellation()
    {
        _cancellation.Dispose();
        _cancellation = default;
    }

    /// <summary>Whether a read up to a mark may go on, or end, with so many bytes.</summary>
    protected ReadProgress CheckLimits(int length)
    {
        if (length > Limit) return ReadProgress.Unsatisfiable;
        return length > Stream.Options.BufferLimit ? ReadProgress.BufferFull : ReadProgress.Pending;
    }
}

/// <summary>A read that waits and will have a result of type <typeparamref name="T"/>.</summary>
internal abstract class ReadOperation<T> : ReadOperation, IValueTaskSource<T>
{
    // Of a bool, since the result waits in a field of its own in any case: it is known before the awaiter is woken.
    private ManualResetValueTaskSourceCore<bool> _source;
    private T _result = default!;
    private object? _awaiterOrError; // who is named when he holds the loop, until the read fails: an idle stream has no room for both

    internal override short Version => _source.Version;

    internal ValueTask<T> Task => new(this, _source.Version);

    internal override void Fail(Exception error) => _awaiterOrError = error;

    internal override void Signal()
    {
        Exception? error = _awaiterOrError as Exception;
        Stream.Loop.SetRunning(error is null ? _awaiterOrError : Stream);
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
            // With a stale token GetResult throws, and the object is somebody else's by now.
            if (token == _source.Version && _source.GetStatus(token) != ValueTaskSourceStatus.Pending) Recycle();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _source.RunContinuationsAsynchronously = !Stream.Loop.MayResumeInline(ref flags);
        _awaiterOrError ??= state;
        _source.OnCompleted(continuation, state, token, flags);
    }

    protected ReadProgress Finish(T result)
    {
        _result = result;
        return ReadProgress.Finished;
    }

    /// <summary>Hands bytes of the buffer to the user's parser. They are consumed also when it throws: they were framed.</summary>
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

    /// <summary>Forgets everything about this use and goes back to the pool.</summary>
    protected abstract void Return();

    private void Recycle()
    {
        _source.Reset();
        _result = default!;
        _awaiterOrError = null;
        Stream = null!;
        Return();
    }
}
