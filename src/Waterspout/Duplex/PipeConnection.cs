using System.IO.Pipelines;
using Waterspout.Connecting;
using Waterspout.Loop;
using Waterspout.Writes;

namespace Waterspout.Duplex;

/// <summary>A connection that any thread may use, as a pair of pipes over its descriptor.</summary>
/// <remarks>
/// <para>Theory of operation. A stream belongs to the thread of its loop; code on other threads pays for each of its calls with a crossing
/// in both directions. Here the loop only watches the descriptor, and reports. What is received and sent is received and sent on the thread
/// that runs the application. The two halves, their buffers and their state are those of a stream; each is under a lock of its own.</para>
/// <para>The surface, for a transport that is built on this: <see cref="Input"/> and <see cref="Output"/>; <see cref="Start"/>, on the
/// loop's thread, before which reads wait and writes are kept; <see cref="Abort(Exception?)"/>, from any thread; <see cref="Closed"/>, which is
/// cancelled once, on the thread pool, when the peer's EOF has been received, or when the connection has failed or is aborted;
/// <see cref="Finished"/>, when the descriptor is closed. A loop of another kind is an <see cref="IConnectionLoop"/>: it calls
/// <see cref="IReadinessHandler.HandleEvents"/> of what it watches, and decides in <see cref="IConnectionLoop.Resume"/> where the
/// application's code runs.</para>
/// <para>The end. Completing the output sends what is left, and the end of this side. When both sides have been completed, the connection
/// closes: it discards what the peer still sends until its EOF, for at most ten seconds, since unread data would turn the close into a
/// reset. Completing a side with an error aborts the connection. An error of a send lets what arrived before it be read first; then reads
/// fail, and flushes report that the connection is completed.</para>
/// <para>Order of locks: the input's, then the output's. Neither is held while the application's code runs.</para>
/// </remarks>
internal partial class PipeConnection : IDuplexPipe, ITaker, IReadinessHandler, IHalfOwner, IThreadPoolWorkItem
{
    private IConnectionDescriptor _descriptor; // changed under both locks
    private Registration _registration; // set once, on the loop

    internal PipeConnection(IConnectionLoop loop, IConnectionDescriptor descriptor)
    {
        Loop = loop;
        _descriptor = descriptor;
        HighWaterMark = descriptor.Options.WriteHighWaterMark;
        Input = new ConnectionInput(this);
        Output = new ConnectionOutput(this);
    }

    internal IConnectionLoop Loop { get; }

    internal ConnectionInput Input { get; }

    internal ConnectionOutput Output { get; }

    /// <summary>Users have it as a <see cref="Stream"/>.</summary>
    internal bool IsStream { get; set; }

    /// <summary>A flush waits while more than this is unsent.</summary>
    internal int HighWaterMark { get; }

    internal int LargestMessage => _descriptor.LargestMessage;

    PipeReader IDuplexPipe.Input => Input;

    PipeWriter IDuplexPipe.Output => Output;

    IOStreamOptions IHalfOwner.Options => _descriptor.Options;

    DescriptorTraits IHalfOwner.Traits => _descriptor.Traits;

    int IHalfOwner.LargestMessage => _descriptor.LargestMessage;

    /// <summary>Begins to watch the descriptor. On the loop's thread.</summary>
    /// <param name="received">What a stream that is taken over has received. It is copied.</param>
    /// <param name="unsent">What is still to be sent for that stream. It belongs to the connection from now on.</param>
    /// <param name="mayBeReadable">The descriptor may be readable, and the poller need not report that again.</param>
    internal void Start(ReadOnlySpan<byte> received = default, WriteBuffer? unsent = null, bool mayBeReadable = false)
    {
        if (IsClosed) return;
        try
        {
            _registration = Loop.Watch(_descriptor.Descriptor, this);
        }
        catch (Exception error)
        {
            Abort(error);
            return;
        }

        Output.Start(unsent);
        Input.Start(received, mayBeReadable);
    }

    /// <summary>Puts a layer, such as TLS, between the pipes and the descriptor. No call is pending, and everything has been sent.</summary>
    /// <param name="layer">Makes it, of the descriptor so far and of what was received and not read.</param>
    internal void Insert(Func<IConnectionDescriptor, byte[], IConnectionDescriptor> layer) =>
        Input.Replace(received => Output.Replace(() => _descriptor = layer(_descriptor, received)));

    /// <summary>Something may be received. Under the input's lock.</summary>
    internal void OnReadable(bool isLast) => _descriptor.OnReadable(isLast);

    /// <summary>Sends what the descriptor itself sends at the end. False if it would block. Under the output's lock.</summary>
    internal bool TryEndWrites()
    {
        if (_descriptor.TryEndWrites()) return true;
        Rearm(IOEvents.Write);
        return false;
    }

    public void HandleEvents(IOEvents events)
    {
        if ((events & IOEvents.Priority) != 0) _descriptor.OnPriority();
        if ((events & IOEvents.Error) != 0 && !IsClosed && _descriptor.TakeError() is { } error) Fail(error);
        // Data first, then errors: a send would meet the error, and take it away from the receive that comes after the data.
        Input.HandleEvents(events);
        Output.HandleEvents(events);
    }

    void IReadinessHandler.EndWithLoop()
    {
        // Everything has been sent, and must not be taken back by a reset.
        if (IsDraining) CloseNow(Outcome);
        else Abort(CloseReason.Local, new ObjectDisposedException(nameof(IOLoop), "The loop has been disposed."));
    }

    /// <summary>Receives, and runs the code that waits for it.</summary>
    void IThreadPoolWorkItem.Execute() => Input.Resume();

    int? IHalfOwner.Receive(Memory<byte> space) => _descriptor.Receive(space);

    void IHalfOwner.OnReceived(int count) => Input.NoteReceived(Loop.CurrentMoment);

    void IHalfOwner.OnReceiveBlocked() => Rearm(IOEvents.Read | IOEvents.ReadClosed);

    int? IHalfOwner.Send(ReadOnlySpan<byte> data) => _descriptor.Send(data);

    int? IHalfOwner.Send(ReadOnlyMemory<byte> data) => _descriptor.Send(data);

    int? IHalfOwner.Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => _descriptor.Send(pieces);

    void IHalfOwner.OnSent(int count)
    {
        if (count > 0) Output.NoteSent(Loop.CurrentMoment);
    }

    void IHalfOwner.OnSendBlocked(bool isNews)
    {
        if (isNews) Output.NoteBlocked(Loop.CurrentMoment);
        if (_descriptor.IsShortOfMemory) Loop.TryPost(this, static connection => connection.SendAfterPause());
        else Rearm(IOEvents.Write);
    }

    private void Rearm(IOEvents events)
    {
        if (!_registration.IsNone) Loop.RearmAnywhere(_registration, events, _descriptor.Traits);
    }

    // Memory stays short for longer than a turn, but seldom for longer than this.
    private void SendAfterPause()
    {
        if (!IsClosed) Loop.CallLater(TimeSpan.FromMilliseconds(10), () => HandleEvents(IOEvents.Write));
    }
}
