using Waterspout.Reads;

namespace Waterspout;

// What the two halves ask of the stream.
public abstract partial class BaseIOStream : IHalfOwner
{
    /// <summary>No event will come: a read receives at once.</summary>
    private protected void AssumeReadable() => _state.MarkReadable();

    /// <summary>Bytes that were sent and that the peer has not taken. Zero if that is not known.</summary>
    private protected virtual int HeldBySystem => 0;

    DescriptorTraits IHalfOwner.Traits => Traits;

    int IReadOwner.BufferLimit => Options.BufferLimit;

    /// <summary>The least room for any receive, if the kernel drops the rest of a longer message. Zero if it drops nothing.</summary>
    private protected virtual int LargestMessage => 0;

    int IHalfOwner.LargestMessage => LargestMessage;

    int? IHalfOwner.Receive(Memory<byte> space) => ReadFromFd(space);

    void IHalfOwner.OnReceived(int count)
    {
        _reads.LastProgress = Loop.Moment;
        if (!_registration.IsNone) Loop.Counters.BytesIn += count;
    }

    void IHalfOwner.OnReceiveBlocked() => AwaitReadiness(IOEvents.Read | (_state.IsEofAnnounced ? 0 : IOEvents.ReadClosed));

    int? IHalfOwner.Send(ReadOnlySpan<byte> data) => WriteToFd(data);

    int? IHalfOwner.Send(ReadOnlyMemory<byte> data) => WriteToFd(data);

    int? IHalfOwner.Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => WriteToFd(pieces);

    void IHalfOwner.OnSent(int count)
    {
        if (count > 0) _reads.LastProgress = Loop.Moment;
        if (!_registration.IsNone) Loop.Counters.BytesOut += count;
    }

    void IHalfOwner.OnSendBlocked(bool isNews)
    {
        // During a pause the descriptor may be reported as writable repeatedly.
        if (!_writes.IsPaused) AwaitReadiness(IOEvents.Write);
        UpdateRoot();
        if (isNews) _writes.NoteBlocked(Loop.Moment);
        if (isNews && Options.LimitsWriteTime)
            (_writes.Clock ??= new WriteClock(Loop, Options, () => HeldBySystem, OnWriteTimeout)).Block();
    }

    /// <summary>Whether there is any unread data, here or in the kernel.</summary>
    private protected bool HasReceivedAnything()
    {
        if (_reads.Buffer.Length > 0) return true;
        try
        {
            int? count = _reads.ReceiveIntoBuffer(this, ref _state);
            if (count == 0) ReceiveEof();
            return count > 0;
        }
        catch (Exception error)
        {
            CloseByError(error);
            return false;
        }
    }

    /// <summary>Received and unread bytes.</summary>
    internal int UnreadBytes => _reads.Buffer.Length;

    /// <summary>The text of what a regex read has left is kept for the next one.</summary>
    internal bool HoldsText => _reads.Buffer.HoldsView;

    /// <summary>Memory is rented for received data.</summary>
    internal bool HoldsReadMemory => _reads.Buffer.HoldsMemory;
}
