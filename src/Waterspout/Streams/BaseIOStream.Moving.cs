using System.IO.Pipelines;
using Waterspout.Duplex;
using Waterspout.Interop;
using Waterspout.Writes;

namespace Waterspout;

// The hand-over of the descriptor to a connection that any thread may use.
public abstract partial class BaseIOStream
{
    private bool _isTakenOver; // by a connection that has not closed yet

    /// <summary>
    /// The connection as a pair of pipes: what is received is read from its input, and what is written to its output is sent.
    /// </summary>
    /// <returns>
    /// The pipes. Any thread may use them, one at a time for each direction. Completing both closes the connection: what was written is
    /// sent first, and what the peer still sends is discarded. Completing one with an error aborts it.
    /// </returns>
    /// <remarks>
    /// <para>A stream over a descriptor of the kernel is taken over, with what it has received and not sent yet: this object is no longer
    /// usable, as after an upgrade to TLS, but its addresses and its <see cref="Closed"/> token stay true, and its close callback runs when
    /// the connection closes. Off the loop the pipes cost less than the stream: a call crosses no thread.</para>
    /// <para>A flush completes while at most <see cref="IOStreamOptions.WriteHighWaterMark"/> bytes wait to be sent, and otherwise when
    /// half of that is left; its result is completed when the connection has failed or closed. Off the loop the data is sent by a work item
    /// of the thread pool; at once if it is 32 KiB or more, or when a read has to wait. Cancelling a read or a flush loses nothing. Time
    /// limits of the options do not apply. The peer's EOF does not close the connection: it is the end of the input. May be called
    /// from any thread. Tornado has no equivalent.</para>
    /// <para>Other streams (TLS, memory, a class that overrides a hook) keep their loop, and behave at the peer's EOF as their options say.
    /// Each read and flush of the pipes is one of the stream.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// A read is pending, a write waits, the writes have been completed, the stream is not connected, or was taken over before. Nothing has
    /// changed.
    /// </exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    public IDuplexPipe AsDuplexPipe() => DuplexAdapters.ToPipe(this);

    /// <summary>The connection as what all of .NET reads and writes.</summary>
    /// <returns>
    /// The stream, for any thread: one read and one write at a time. Disposing it closes the connection in an orderly way;
    /// <see cref="Stream.DisposeAsync"/> completes when everything has been handed to the system.
    /// </returns>
    /// <remarks>
    /// A read returns what there is, and 0 at the end; one of zero bytes waits for data. A cancelled read loses nothing, and a cancelled
    /// write is still sent. A write completes while at most <see cref="IOStreamOptions.WriteHighWaterMark"/> bytes are unsent; flushing
    /// waits for all of them. Disposing ends a read that waits; a write or flush that waits still completes when its data is sent, or fails
    /// with the close, after ten seconds at the latest. <see cref="Stream.ReadTimeout"/> and <see cref="Stream.WriteTimeout"/> are for
    /// synchronous calls, which a loop's thread is refused with an <see cref="InvalidOperationException"/>. Errors are
    /// <see cref="StreamClosedException"/>. What is said of <see cref="AsDuplexPipe"/> holds otherwise.
    /// </remarks>
    /// <inheritdoc cref="AsDuplexPipe" path="/exception"/>
    public Stream AsStream() => DuplexAdapters.ToStream(this);

    /// <summary>Another stream has taken over the descriptor and the received data.</summary>
    private protected bool IsMoved => _state.IsMoved;

    /// <summary>The hooks are the kernel's, and any thread may call them.</summary>
    internal bool HasDescriptor => HasKernelHooks && Descriptor.IsOpen;

    /// <summary>What <see cref="Fileno"/> says.</summary>
    internal Descriptor Descriptor => new(Fileno);

    /// <summary>What has been received and not read.</summary>
    internal ReadOnlySpan<byte> ReceivedData => _reads.Buffer.Data;

    /// <summary>The system had no memory for the last send.</summary>
    internal bool IsShortOfMemory => _writes.IsPaused;

    /// <summary>
    /// Throws if the stream cannot be taken over now. May be called from any thread, where it may see what was true a moment ago.
    /// </summary>
    internal void CheckCanMove()
    {
        if (IsMoved) throw RefusedException();
        if (IsClosed || IsEnding) throw ClosedException();
        if (IsConnecting || IsReading || _writes.HasWaiters || _state.WriteEnd != WriteEnd.Open)
            throw new InvalidOperationException("The stream is connecting, a read or write of it is pending, or its writes have been completed.");
    }

    /// <summary>Gives the descriptor away, on the loop. It stays open, and the hooks of this stream stay usable on any thread.</summary>
    /// <returns>What is to be sent first, and whether a receive is worth a try.</returns>
    internal (WriteBuffer? Unsent, bool MayBeReadable) Leave()
    {
        CheckCanMove();
        TakeStaged();
        RegisterAtFirstUse();
        if (IsClosed) throw ClosedException();
        bool mayBeReadable = _state.IsReadable || _state.IsEofReceived;
        if (!_registration.IsNone) Loop.Unregister(_registration);
        _registration = default;
        _state.Move();
        _isTakenOver = true;
        GC.SuppressFinalize(this);
        return (_writes.TakeBuffer(), mayBeReadable);
    }

    /// <summary>The received data has been taken over.</summary>
    internal void ForgetReceived() => _reads.Buffer.Release();

    /// <summary>The connection that has taken over the descriptor has closed, on the loop.</summary>
    internal void FinishMoved(CloseOutcome outcome, long unsent)
    {
        TrySetOutcome(outcome);
        _isTakenOver = false;
        Loop.Counters.StreamsOpen--;
        NoteClose(outcome.Reason, outcome.Error, outcome.IsKnown);
        if (unsent > 0) LogUnsent(unsent, outcome.Error, IsLostByPeer(outcome.Reason, outcome.Error));
        CloseFd();
        SignalClosed();
        RunCloseCallbackLater();
    }

    internal Exception? TakeDescriptorError() => GetFdError();

    internal bool EndWrites() => ShutdownWrites();

    /// <summary>
    /// Takes over another stream's received data. The descriptor moves too, and the other stream ends without closing it.
    /// </summary>
    private protected static byte[] TakeOver(BaseIOStream other)
    {
        byte[] received = other._reads.Buffer.TakeArray(other._reads.Buffer.Length);
        other._state.Move();
        other.Unregister();
        GC.SuppressFinalize(other);
        return received;
    }
}
