using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Theory of operation. One read is pending at most, and it alone makes the stream receive: nobody reading means that
    // nothing is taken from the kernel, whose full buffer then holds the peer back.
    //
    // The poller tells each change once (edge-triggered), so _isReadable remembers that there may be something to receive.
    // It is cleared when a receive gives less than was asked for: the kernel has then nothing more, and will tell again.
    // That saves the second receive, which would only say EAGAIN: 7 % of a ping-pong. Not so when the end of the stream
    // is known to be behind the data: no more edges come then, and receiving goes on until it says zero.
    //
    // A read begins by looking at the buffer, goes on by receiving if the descriptor is known to be readable, and waits
    // otherwise. When an event completes it, its awaiter goes on right there, on the stack of ReceiveForRead, and may begin
    // the next read: the loop in ReceiveForRead then finds that one. A read that completes within its call does not wake
    // anybody; so the stack does not grow, however many follow each other.
    //
    // Fairness: what one stream receives within a turn is limited. Beyond that it queues behind the others.

    // Four full receives: large enough to cost nothing measurable, small enough that a turn of busy streams stays short.
    private const int ReceiveBudget = 256 * 1024;

    // What a receive behind buffered data must have room for, at least.
    private const int SmallestReceive = 512;

    private ReadOperation? _pendingRead;
    private RegexScanner? _scanner;
    private Deadline? _readDeadline;
    private bool _isReadable;
    private bool _isParsing;
    private bool _isEndKnown;
    private bool _isEndReached;
    private bool _isEndReturned;
    private int _lastReceived;
    private int _budget;
    private long _budgetTurn = -1;

    /// <summary>True when a read may begin; else the task to give to the caller.</summary>
    private bool TryBeginRead<T>(CancellationToken cancellationToken, out ValueTask<T> refusal)
    {
        refusal = default;
        if (cancellationToken.IsCancellationRequested)
            refusal = ValueTask.FromCanceled<T>(cancellationToken);
        else if (_isMoved)
            refusal = ValueTask.FromException<T>(RefusedException());
        else if (_pendingRead is not null || _isParsing)
            refusal = ValueTask.FromException<T>(_state >= StreamState.Closing ? ClosedException() : new InvalidOperationException("Already reading"));
        else
            return true;
        return false;
    }

    /// <summary>Completes a read with bytes that are buffered.</summary>
    private ValueTask<T> ReadBuffered<T>(int count, Func<ReadOnlySpan<byte>, T> parse)
    {
        _isParsing = true;
        try
        {
            return new ValueTask<T>(parse(_readBuffer.Data[..count]));
        }
        catch (Exception error)
        {
            return ValueTask.FromException<T>(error);
        }
        finally
        {
            _isParsing = false;
            _readBuffer.Consume(count);
            if (_isEndKnown) CheckForEndLater();
        }
    }

    /// <summary>Begins a read that the buffer may or may not satisfy.</summary>
    private ValueTask<T> Read<T>(ReadOperation<T> read, CancellationToken cancellationToken)
    {
        if (_state == StreamState.New && !IsConnecting && !_isCloseRequested) EnsureRegistered();
        read.Stream = this;
        _pendingRead = read;
        if (TryFinish(read) || FailAtEnd(read) || ReceiveInline(read))
        {
            // Unless a close has told it already, or is about to.
            return read == _pendingRead ? EndInline(read) : read.Task;
        }

        read.RegisterCancellation(cancellationToken);
        if (Options.ReadTimeout is { } timeout) (_readDeadline ??= new Deadline(Loop, timeout, OnReadTimeout)).Restart();
        _readBuffer.Trim();
        _registration?.Root = this;
        return read.Task;
    }

    private ValueTask<T> EndInline<T>(ReadOperation<T> read)
    {
        _pendingRead = null;
        if (_isEndKnown) CheckForEndLater();
        return read.TakeResult();
    }

    /// <summary>Lets the pending read look at the buffer. True when it has ended, well or not.</summary>
    private bool TryFinish(ReadOperation read)
    {
        _isParsing = true;
        ReadProgress progress = read.TryFinish(_readBuffer);
        _isParsing = false;
        if (progress == ReadProgress.Finished) return true;
        if (_state == StreamState.Closed) return false;

        if (progress == ReadProgress.Unsatisfiable)
            CloseNow(CloseReason.Error, new UnsatisfiableReadException($"The delimiter or match did not come within {read.Limit} bytes."));
        else if (progress == ReadProgress.BufferFull || _readBuffer.Length > Options.MaxBufferSize)
            CloseNow(CloseReason.Error, new StreamBufferFullException($"The read needs more than {nameof(Options.MaxBufferSize)}, which is {Options.MaxBufferSize} bytes."));
        else
            return false;
        return true;
    }

    /// <summary>Where nothing more can come, ends the read with what there is, or with the reason.</summary>
    private bool FailAtEnd(ReadOperation read)
    {
        bool isRegular = (_closeReason == CloseReason.EndOfStream || _isEndReached) && EndReason == CloseReason.EndOfStream;
        if (_state < StreamState.Closing && !_isEndReached) return false;
        if (_state == StreamState.Closing && read is DiscardRead && !_isEndReached) return false;
        if (isRegular && (read.EndIsAResult || !_isEndReturned) && read.TryFinishAtEnd(_readBuffer))
            _isEndReturned = true;
        else
        {
            read.GiveBack(_readBuffer);
            read.Fail(_state >= StreamState.Closing ? ClosedException() : new StreamClosedException(EndReason));
        }

        return true;
    }

    /// <summary>Receives for a read that begins, if the descriptor is known to have something. True when that has ended the read.</summary>
    private bool ReceiveInline(ReadOperation read)
    {
        if (!_isReadable || IsConnecting) return false;
        while (_isReadable && _pendingRead == read)
        {
            if (IsBudgetSpent()) return false;
            if (!ReceiveOnce(read)) continue;
            return true;
        }

        return _pendingRead != read;
    }

    /// <summary>Receives for as long as somebody reads and there is something, after an event.</summary>
    private void ReceiveForRead()
    {
        while (_isReadable && _pendingRead is { } read && !IsBudgetSpent())
            if (ReceiveOnce(read) && _pendingRead == read) EndRead(read);
    }

    /// <summary>One receive for the pending read. True when that has ended it.</summary>
    private bool ReceiveOnce(ReadOperation read)
    {
        if (read.IsSatisfiedByReadiness) return TryFinish(read);
        int? count;
        try
        {
            count = Receive(read);
        }
        catch (Exception error)
        {
            CloseByError(error);
            return true;
        }

        if (count is null) return false;
        if (count > 0) return TryFinish(read);
        ReachEnd();
        return true;
    }

    private int? Receive(ReadOperation read)
    {
        Memory<byte> space = read.GetDirectSpace();
        if (!space.IsEmpty && _readBuffer.Length == 0)
        {
            int? direct = ReceiveInto(space);
            if (direct > 0) read.ReceivedDirectly(direct.Value);
            return direct;
        }

        return ReceiveIntoBuffer();
    }

    private int? ReceiveIntoBuffer()
    {
        int chunk = Options.ReadChunkSize;
        Memory<byte> space = _readBuffer.GetSpace(Math.Min(chunk, Math.Max(SmallestReceive, _lastReceived)), chunk);
        // One byte beyond the limit tells that the limit is passed; it is not needed to hold more.
        int room = (int)Math.Min(chunk, Options.MaxBufferSize + 1L - _readBuffer.Length);
        if (space.Length > room) space = space[..room];
        int? count = ReceiveInto(space);
        if (count > 0)
        {
            _readBuffer.Commit(count.Value);
            _lastReceived = count.Value;
        }

        return count;
    }

    private int? ReceiveInto(Memory<byte> space)
    {
        int? count = ReceiveFromFd(space);
        if (count > 0)
        {
            if (_registration is not null) Loop.Counters.BytesIn += count.Value;
            _budget -= count.Value;
        }

        bool isDrained = count is null || (count > 0 && count < space.Length && ShortMeansBlocked && !_isEndKnown);
        if (isDrained)
        {
            _isReadable = false;
            RearmReads();
        }

        return count;
    }

    private void RearmReads()
    {
        if (_registration is { } registration) Loop.Rearm(registration, IOEvents.Read | (_isEndKnown ? 0 : IOEvents.ReadClosed), IsBuiltIn);
    }

    private bool IsBudgetSpent()
    {
        if (_budgetTurn != Loop.Turn)
        {
            _budgetTurn = Loop.Turn;
            _budget = ReceiveBudget;
        }

        if (_budget > 0) return false;
        Loop.TryPost(new LoopCallback(static stream => ((BaseIOStream)stream!).Resume(), this));
        return true;
    }

    /// <summary>The next turn for a stream that had spent its budget.</summary>
    private void Resume()
    {
        if (_state is StreamState.Closed) return;
        ReceiveForRead();
        EndEvents();
    }

    /// <summary>Ends the pending read, whose outcome is set, and wakes its awaiter on this stack.</summary>
    private void EndRead(ReadOperation read)
    {
        DetachRead(read);
        if (_isEndKnown) CheckForEndLater();
        read.Signal();
    }

    /// <summary>Ends the pending read, whose outcome is set, and wakes its awaiter from the loop's queue: this is inside some user's call.</summary>
    private void EndReadLater(ReadOperation read)
    {
        DetachRead(read);
        Loop.TryPost(new LoopCallback(static state => ((ReadOperation)state!).Signal(), read));
    }

    private void DetachRead(ReadOperation read)
    {
        _pendingRead = null;
        read.UnregisterCancellation();
        _readDeadline?.Clear();
    }

    /// <summary>The end of the peer's side is known.</summary>
    internal bool IsEndSeen => _isEndKnown;

    /// <summary>Whether there is anything that has not been read, here or in the kernel.</summary>
    private protected bool HasReceivedAnything()
    {
        if (_readBuffer.Length > 0) return true;
        try
        {
            int? count = ReceiveIntoBuffer();
            if (count == 0) ReachEnd();
            return count > 0;
        }
        catch (Exception error)
        {
            CloseByError(error);
            return false;
        }
    }

    /// <summary>The kernel is known to have something for us, if only the end.</summary>
    internal bool IsReadable => _isReadable;

    /// <summary>What the end of the peer's side, once it is reached, says about the stream.</summary>
    private protected virtual CloseReason EndReason => CloseReason.EndOfStream;

    /// <summary>The end of the peer's side does not close the stream, since this side may still write.</summary>
    private bool StaysHalfOpen => Options.AllowHalfOpen && !_areWritesCompleted;

    /// <summary>The end of the stream has been received: nothing comes after it.</summary>
    private void ReachEnd()
    {
        _isEndKnown = _isEndReached = true;
        _isReadable = false;
        bool staysOpen = _state == StreamState.Closing || StaysHalfOpen;
        if (!staysOpen) CloseAtEnd();
        else if (_pendingRead is { } read && FailAtEnd(read)) EndReadLater(read);
    }

    /// <summary>Called, on any thread, by the token of a read.</summary>
    internal void RequestCancelRead(ReadOperation read, short version, CancellationToken token) =>
        Loop.TryPost(new LoopCallback(static state =>
        {
            (BaseIOStream stream, ReadOperation read, short version, CancellationToken token) =
                ((BaseIOStream, ReadOperation, short, CancellationToken))state!;
            if (stream._pendingRead == read && read.Version == version) stream.AbandonRead(new OperationCanceledException(token));
        }, (this, read, version, token)));

    private void OnReadTimeout()
    {
        if (_pendingRead is not null) AbandonRead(new TimeoutException($"The read did not complete within {Options.ReadTimeout}. No data is lost."));
    }

    /// <summary>Ends the pending read without a result, and without losing a byte.</summary>
    private void AbandonRead(Exception error)
    {
        ReadOperation read = _pendingRead!;
        read.GiveBack(_readBuffer);
        read.Fail(error);
        EndRead(read);
        EndEvents();
    }

    /// <summary>Takes what is left in the buffer after the end of the stream.</summary>
    private ValueTask<byte[]> ReadRestAsync() =>
        Loop.IsCurrent ? new ValueTask<byte[]>(_readBuffer.TakeArray(_readBuffer.Length)) : ReadElsewhere(ReadRestAsync);
}
