using Waterspout.Reads;

namespace Waterspout;

// The pending read, from start to completion.
public abstract partial class BaseIOStream
{
    // Theory of operation. How bytes get to a read is in ReadHalf; here is when, and what comes of it.
    //
    // A read first checks the buffer, then receives if the descriptor is known to be readable, and otherwise waits. When an event completes
    // it, its awaiter resumes immediately, on the stack of ReceiveForRead, and may start the next read: the loop in ReceiveForRead then
    // finds that one. A read that completes within its call wakes no awaiter; so the stack does not grow, however many follow each other.
    //
    // Fairness: what one stream receives within a turn is limited. Beyond that it queues after the others.

    private ReadHalf _reads = new();

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

    private static InvalidOperationException AlreadyReading() => new(
        "Already reading: a stream takes one read at a time. Await the one that is under way, or cancel it, before the next.");

    /// <summary>
    /// Completes a read from the buffer, which the caller has taken back already. Two more looks at a possible loan made a line of 52 ns one of
    /// 60.
    /// </summary>
    private ValueTask<T> ReadBuffered<T>(ReadBuffer buffer, int count, Func<ReadOnlySpan<byte>, T> parse)
    {
        _reads.IsParsing = true;
        try
        {
            return new ValueTask<T>(parse(buffer.Data[..count]));
        }
        catch (Exception error)
        {
            return ValueTask.FromException<T>(error);
        }
        finally
        {
            _reads.IsParsing = false;
            buffer.Consume(count);
            if (_state.IsEofAnnounced) ProbeForEofLater();
        }
    }

    /// <summary>Starts a read that the buffer may or may not satisfy.</summary>
    private ValueTask<T> Read<T>(ReadOperation<T> read, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        if (_state.IsNew && !IsClosed) RegisterAtFirstUse();
        read.Owner = this;
        if (_state.EndsReads) return ReadWhatIsLeft(read);
        _reads.Begin(read);
        if (TryFinish(read) || CompleteAtEof(read) || ReceiveInline(read))
        {
            // Unless a close has already completed it, or is about to.
            return read == _reads.Pending ? CompleteInline(read) : read.Task;
        }

        if (timeout is not null || Options.LimitsReadTime) StartClock(timeout);
        return Wait(read, cancellationToken);
    }

    private ValueTask<T> Wait<T>(ReadOperation<T> read, CancellationToken cancellationToken)
    {
        _reads.Wait(read, Loop.Moment, cancellationToken);
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
        if (_state.IsEofAnnounced) ProbeForEofLater();
        return _reads.Take(read);
    }

    /// <summary>Receives for a read that begins, if the descriptor is known to be readable. True if that has completed the read.</summary>
    private bool ReceiveInline(ReadOperation read)
    {
        if (IsConnecting) return false;
        while (_state.IsReadable && _reads.Pending == read)
        {
            if (IsBudgetSpent()) return false;
            if (!ReceiveOnce(read)) continue;
            return true;
        }

        // No data is left before the error.
        if (IsFailing && !_state.IsReadable && !MoreWillCome) CloseByError(Error!);
        return _reads.Pending != read;
    }

    /// <summary>Receives after an event while there is a pending read and data.</summary>
    private void ReceiveForRead()
    {
        while (_state.IsReadable && _reads.Pending is { } read && !IsBudgetSpent())
            if (ReceiveOnce(read) && _reads.Pending == read) CompleteRead(read);
    }

    /// <summary>One receive for the pending read. True if that has completed it.</summary>
    private bool ReceiveOnce(ReadOperation read)
    {
        ReadProgress? progress;
        try
        {
            progress = _reads.Receive(this, ref _state, read);
        }
        catch (Exception error)
        {
            CloseByError(error);
            return true;
        }

        if (progress != ReadProgress.Ended) return progress is { } known && Settle(read, known);
        ReceiveEof();
        return true;
    }

    private bool IsBudgetSpent()
    {
        if (!_reads.IsBudgetSpent(Loop.Turn)) return false;
        // Called more than once in a turn, by the read and by the event; if queued twice, each would queue two more.
        if (_reads.IsResumeQueued) return true;
        _reads.IsResumeQueued = true;
        Loop.TryPost(this, static stream => stream.Resume());
        return true;
    }

    /// <summary>The next turn of a stream that had spent its budget.</summary>
    private void Resume()
    {
        _reads.IsResumeQueued = false;
        if (_state.IsClosed) return;
        if (IsFailing) ContinueFailing();
        else ReceiveForRead();
        AfterUserCode();
    }

    /// <summary>Lets the pending read check the buffer. True if it has completed or failed.</summary>
    private bool TryFinish(ReadOperation read) => Settle(read, _reads.Run(read, Options));

    /// <summary>What the check of a read means for it, and for the stream. True if it has completed or failed.</summary>
    private bool Settle(ReadOperation read, ReadProgress progress)
    {
        // On a stream that has ended too: the outcome does not depend on when the peer closes.
        if (progress == ReadProgress.Finished) return true;
        if (_state.IsClosed) return CompleteAtEof(read); // before, or just now by the user's parser
        if (_state.IsClosing || progress == ReadProgress.Pending) return false;
        CloseNow(CloseReason.Error, progress == ReadProgress.Unsatisfiable ? ReadHalf.LimitError(read) : BufferError());
        return true;
    }

    private StreamBufferFullException BufferError() =>
        new($"The read needs more than {nameof(Options.MaxBufferSize)}, which is {Options.MaxBufferSize} bytes.");

    /// <summary>Completes the pending read, whose outcome is set, and wakes its awaiter on this stack.</summary>
    private void CompleteRead(ReadOperation read)
    {
        _reads.Detach(read);
        Wake(read);
    }

    /// <summary>Wakes the awaiter of a read that was detached, on this stack.</summary>
    private void Wake(ReadOperation read)
    {
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
}
