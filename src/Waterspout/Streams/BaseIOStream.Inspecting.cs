using Waterspout.Diagnostics;

namespace Waterspout;

// What a stream is doing, for IOLoop.GetStreams. Everything is there anyway, but for three numbers: two moments and the bytes received.
public abstract partial class BaseIOStream : IInspectable
{
    StreamInfo? IInspectable.Inspect()
    {
        if (_state.IsClosed || IsClosed) return null;
        StreamInfo info = new(ToString()!, GetType().Name)
        {
            Phase = Phase,
            HasPeerEnded = _state.IsEofAnnounced,
            ReadBuffered = _reads.BufferedBytes,
            WriteBuffered = Unsent,
            PendingWriteTime = Loop.Since(_writes.WaitsSince),
            BlockedTime = Loop.Since(_writes.BlockedSince),
            IsParsing = _reads.IsParsing || _reads.IsStreaming,
        };
        NoteTransfer(info);
        if (_reads.Pending is { IsDrain: false } read)
        {
            info.PendingRead = read.Name;
            info.PendingReadTime = Loop.Since(_reads.PendingSince);
        }

        Describe(info);
        return info;
    }

    /// <summary>What has been transferred, and when. Also for a connection that has taken over, which adds its own.</summary>
    internal void NoteTransfer(StreamInfo info)
    {
        info.Age = Loop.Since(_created) ?? default;
        info.SinceProgress = Loop.Since(_reads.LastProgress);
        info.BytesReceived = _reads.Received;
        info.BytesSent = _writes.SentPosition;
    }

    /// <summary>Adds what is particular to the class to the description of the stream: addresses, what the system holds, TLS.</summary>
    /// <param name="info">Has everything else already. An override sets properties of it, after it has called the base class.</param>
    /// <remarks>
    /// Called on the loop, for <see cref="IOLoop.GetStreams"/>; it must not wait, and must not change the stream. Also for a connection that
    /// has taken over from the stream. Tornado has nothing like this.
    /// </remarks>
    protected internal virtual void Describe(StreamInfo info) => info.SystemWriteBuffered = HeldBySystem;

    private StreamPhase Phase => _state switch
    {
        { IsClosing: true } => StreamPhase.Closing,
        { IsFailing: true } => StreamPhase.Failing,
        { IsConnecting: true } => ConnectingPhase,
        { IsNew: true } => StreamPhase.New,
        _ => StreamPhase.Open,
    };

    /// <summary>What it is that the stream has no connection for yet.</summary>
    private protected virtual StreamPhase ConnectingPhase => StreamPhase.New;
}
