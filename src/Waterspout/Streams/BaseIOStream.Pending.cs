using Waterspout.Reads;

namespace Waterspout;

// The pending read, from start to completion; the part on receiving receives data for it.
public abstract partial class BaseIOStream
{
    /// <summary>True if a read may begin; otherwise <paramref name="refusal"/> is returned to the caller.</summary>
    private bool TryBeginRead<T>(CancellationToken cancellationToken, out ValueTask<T> refusal)
    {
        refusal = default;
        if (cancellationToken.IsCancellationRequested)
            refusal = ValueTask.FromCanceled<T>(cancellationToken);
        else if (_state.IsMoved)
            refusal = ValueTask.FromException<T>(RefusedException());
        else if (_reads.IsStreaming || (_reads.Pending is not null && !_state.EndsReads))
            refusal = ValueTask.FromException<T>(AlreadyReading());
        else if (_reads.IsParsing)
            refusal = ValueTask.FromException<T>(_state.EndsReads ? ClosedException() : AlreadyReading());
        else
            return true;
        return false;
    }

    /// <summary>No event will come: a read receives at once.</summary>
    private protected void AssumeReadable() => _state.MarkReadable();

    private static InvalidOperationException AlreadyReading() => new(
        "Already reading: a stream takes one read at a time. Await the one that is under way, or cancel it, before the next.");

    /// <summary>Completes a read from the buffer.</summary>
    private ValueTask<T> ReadBuffered<T>(int count, Func<ReadOnlySpan<byte>, T> parse)
    {
        _reads.IsParsing = true;
        try
        {
            return new ValueTask<T>(parse(_reads.Buffer.Data[..count]));
        }
        catch (Exception error)
        {
            return ValueTask.FromException<T>(error);
        }
        finally
        {
            _reads.IsParsing = false;
            _reads.Buffer.Consume(count);
            if (_state.IsEofAnnounced) ProbeForEofLater();
        }
    }

    /// <summary>Starts a read that the buffer may or may not satisfy.</summary>
    private ValueTask<T> Read<T>(ReadOperation<T> read, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        if (_state.IsNew && !IsClosed) RegisterAtFirstUse();
        read.Owner = this;
        if (_state.EndsReads) return ReadWhatIsLeft(read);
        _reads.Pending = read;
        if (TryFinish(read) || CompleteAtEof(read) || ReceiveInline(read))
        {
            // Unless a close has already completed it, or is about to.
            return read == _reads.Pending ? CompleteInline(read) : read.Task;
        }

        read.RegisterCancellation(cancellationToken);
        if (timeout is not null || Options.LimitsReadTime) StartClock(timeout);
        // A read of another kind that needs more than the buffered data will most likely consume all of it.
        if (!read.KeepsText) _reads.Buffer.Scanner?.Release();
        _reads.Buffer.Trim();
        UpdateRoot();
        return read.Task;
    }

    /// <summary>A read of a stream that no longer receives: it never waits, and may run beside the drain of a close.</summary>
    private ValueTask<T> ReadWhatIsLeft<T>(ReadOperation<T> read)
    {
        if (!TryFinish(read)) CompleteAtEof(read);
        return read.TakeResult();
    }

    private ValueTask<T> CompleteInline<T>(ReadOperation<T> read)
    {
        _reads.Pending = null;
        if (_state.IsEofAnnounced) ProbeForEofLater();
        return read.TakeResult();
    }

    /// <summary>Lets the pending read check the buffer. True if it has completed or failed.</summary>
    private bool TryFinish(ReadOperation read)
    {
        ReadProgress progress = _reads.Run(read, Options.BufferLimit);
        if (progress == ReadProgress.Finished) return true;
        if (progress == ReadProgress.Unsatisfiable && Options.OnReadLimit == ReadLimitAction.Keep)
        {
            // On a stream that has ended too: the outcome does not depend on when the peer closes.
            _reads.Fail(read, LimitError(read));
            return true;
        }

        if (_state.IsClosed) return CompleteAtEof(read); // before, or just now by the user's parser
        if (_state.IsClosing || progress == ReadProgress.Pending) return false;
        CloseNow(CloseReason.Error, progress == ReadProgress.Unsatisfiable ? LimitError(read) : BufferError());
        return true;
    }

    private static UnsatisfiableReadException LimitError(ReadOperation read) =>
        new($"{read.Unit} is longer than {read.Limit} bytes, which is the limit. Nothing of it has been read.");

    private StreamBufferFullException BufferError() =>
        new($"The read needs more than {nameof(Options.MaxBufferSize)}, which is {Options.MaxBufferSize} bytes.");

    /// <summary>If nothing more can arrive, completes the read with what there is, or fails it with the reason.</summary>
    private bool CompleteAtEof(ReadOperation read)
    {
        if (!_state.EndsReads && !_state.IsEofReceived) return false;
        if (HasRegularEof && (read.EofIsAResult || !_state.IsEofReturned) && _reads.RunAtEof(read) == ReadProgress.Finished)
            _state.ReturnEof();
        else
            _reads.Fail(read, EofError(read));
        return true;
    }

    private Exception EofError(ReadOperation read)
    {
        if (HasRegularEof && read.Truncation(_reads.Buffer) is { } truncation) return truncation;
        return _state.EndsReads ? ClosedException() : new StreamClosedException(EofReason);
    }

    /// <summary>Nothing more will arrive, and nothing is missing.</summary>
    private bool HasRegularEof => _state.IsEofReceived && EofReason == CloseReason.EndOfStream;

    /// <summary>Completes the pending read, whose outcome is set, and wakes its awaiter on this stack.</summary>
    private void CompleteRead(ReadOperation read)
    {
        _reads.Detach(read);
        if (_state.IsEofAnnounced) ProbeForEofLater();
        read.Signal();
    }

    /// <summary>
    /// Completes the pending read, whose outcome is set, and wakes its awaiter from the loop's queue: this is inside a user's call.
    /// </summary>
    private void CompleteReadLater(ReadOperation read)
    {
        _reads.Detach(read);
        Loop.TryPost(read, static read => read.Signal());
    }

    /// <summary>Called by the token of a read, on any thread.</summary>
    void IReadOwner.RequestCancelRead(ReadOperation read, short version, CancellationToken token) =>
        Loop.TryPost((Stream: this, read, version, token), static call =>
        {
            if (call.Stream._reads.Pending == call.read && call.read.Version == call.version)
                call.Stream.AbandonRead(new OperationCanceledException(call.token));
        });

    /// <summary>Starts the time limits of the pending read: its own, or else those of the stream.</summary>
    private void StartClock(TimeSpan? timeout)
    {
        _reads.Clock ??= new ReadClock(Loop, Options.MinimumReadRate, OnReadTimeout);
        _reads.Clock.Start(timeout ?? Options.ReadTimeout, isMeasured: timeout is null);
    }

    private void OnReadTimeout(string limit)
    {
        if (_reads.Pending is null) return;
        Loop.Counters.ReadTimeouts++;
        AbandonRead(new TimeoutException($"{limit} No data is lost."));
    }

    /// <summary>Ends the pending read without a result, and without losing a byte.</summary>
    private void AbandonRead(Exception error)
    {
        ReadOperation read = _reads.Pending!;
        _reads.Fail(read, error);
        CompleteRead(read);
        AfterUserCode();
    }

    /// <summary>Takes what is left in the buffer after EOF.</summary>
    private ValueTask<byte[]> ReadRestAsync() =>
        Loop.IsCurrent
            ? new ValueTask<byte[]>(_reads.Buffer.TakeArray(_reads.Buffer.Length))
            : ReadOffLoop(false, static (stream, _) => stream.ReadRestAsync());
}
