using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout.Duplex;

// What a connection is doing, for IOLoop.GetStreams. Its loop calls this while other threads may use it: each half is read under its lock.
internal partial class PipeConnection : IInspectable, ICountsBytes
{
    public long BytesReceived => Input.Received;

    public long BytesSent => Output.Sent;

    StreamInfo? IInspectable.Inspect()
    {
        if (IsClosed || _descriptor.Stream is not { } stream) return null;
        string adapter = IsStream ? nameof(BaseIOStream.AsStream) : nameof(BaseIOStream.AsDuplexPipe);
        StreamInfo info = new($"{stream}", $"{stream.GetType().Name}.{adapter}")
        {
            Phase = HasFailed ? StreamPhase.Failing : _isDraining ? StreamPhase.Closing : StreamPhase.Open,
        };
        stream.NoteTransfer(info);
        stream.Describe(info);
        Input.Inspect(info, stream.Loop);
        Output.Inspect(info, stream.Loop);
        return info;
    }
}

internal sealed partial class ConnectionInput
{
    /// <summary>Bytes received since the connection was made of a stream. May be read from any thread.</summary>
    internal long Received => _reads.Received;

    /// <summary>Bytes were received. Under the lock.</summary>
    internal void NoteReceived(Moment now) => _reads.LastProgress = now;

    /// <summary>Adds what is known of this half.</summary>
    internal void Inspect(StreamInfo info, IOLoop loop)
    {
        lock (_lock)
        {
            info.HasPeerEnded = _state.IsEofAnnounced;
            info.BytesReceived += Received;
            info.ReadBuffered = Buffer.Length;
            info.IsParsing = _loan == Loan.Full;
            info.SinceProgress = Later(info.SinceProgress, loop.Since(_reads.LastProgress));
            if (_pending == Kind.None) return;
            info.PendingRead = _pending == Kind.Buffer ? "PipeReader.ReadAsync" : "Stream.ReadAsync";
            info.PendingReadTime = loop.Since(_reads.PendingSince);
        }
    }

    /// <summary>The shorter of two times, either of which may not be known.</summary>
    internal static TimeSpan? Later(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;
}

internal sealed partial class ConnectionOutput
{
    private Moment _sentAt;

    /// <summary>Bytes sent since the connection was made of a stream. May be read from any thread.</summary>
    internal long Sent => _writes.SentPosition;

    /// <summary>Bytes were sent. Under the lock.</summary>
    internal void NoteSent(Moment now) => _sentAt = now;

    /// <summary>Sending has blocked. Under the lock.</summary>
    internal void NoteBlocked(Moment now) => _writes.NoteBlocked(now);

    /// <summary>Adds what is known of this half.</summary>
    internal void Inspect(StreamInfo info, IOLoop loop)
    {
        lock (_lock)
        {
            info.BytesSent += Sent;
            info.WriteBuffered = _writes.Unsent;
            info.PendingWriteTime = loop.Since(_writes.WaitsSince);
            info.BlockedTime = loop.Since(_writes.BlockedSince);
            info.SinceProgress = ConnectionInput.Later(info.SinceProgress, loop.Since(_sentAt));
        }
    }
}
