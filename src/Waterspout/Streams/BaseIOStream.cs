using System.Buffers;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Polling;
using Waterspout.Reads;
using Waterspout.Writes;

namespace Waterspout;

/// <summary>
/// A stream over a non-blocking descriptor, with the operations that protocol code needs: read until a delimiter, read N bytes, write, be
/// notified of the close.
/// </summary>
/// <remarks>
/// <para>One read and any number of writes may be pending at a time. All members may be called from any thread: on the thread of
/// <see cref="Loop"/> they act at once, and awaits resume there, inline; from other threads the call is forwarded to the loop, and its
/// awaits resume by .NET's rules (captured context, otherwise the thread pool), never on the loop.</para>
/// <para>To create a stream over another descriptor, derive and implement <see cref="Fileno"/>, <see cref="ReadFromFd(Span{byte})"/>,
/// <see cref="WriteToFd(ReadOnlySpan{byte})"/> and <see cref="CloseFd"/>. The loop watches the descriptor. Override
/// <see cref="GetFdError"/> if it keeps a pending error, and <see cref="ShutdownWrites"/> if it can be closed in one direction.</para>
/// <para>To create a stream over something without a descriptor (memory, a queue, a connection of another library), leave
/// <see cref="Fileno"/> as it is, and report what the loop cannot see. Hooks never wait: a hook that cannot do its work now returns null,
/// and is called again after <see cref="NotifyReady"/> has reported that a try is worth it: <see cref="IOEvents.Read"/> for data or EOF,
/// <see cref="IOEvents.Write"/> for room. <see cref="IOEvents.ReadClosed"/> reports the peer's EOF, so that it is noticed without a reader;
/// <see cref="IOEvents.Error"/> reports an error that <see cref="GetFdError"/> returns. A report too many costs a call of the hook; a
/// report too few makes an operation wait for ever. The stream does the rest: the order of reads and writes, buffers and limits, timeouts,
/// the order of data, errors and the close; and it is rooted while an operation is pending.</para>
/// </remarks>
public abstract partial class BaseIOStream
    : IBufferWriter<byte>, IDisposable, IAsyncDisposable, IReadinessHandler, IFlushable, IReadOwner, IWriteOwner
{
    private Registration _registration;
    private readonly Moment _created;
    private StreamState _state = new();
    private bool _isUnregistered;

    /// <summary>Creates a stream on a loop.</summary>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    protected BaseIOStream(IOStreamOptions? options = null, IOLoop? loop = null)
        : this(options, loop, hooks: null) => StayUnregistered(); // until its first use

    /// <summary>Creates a stream of a class that registers its descriptor itself.</summary>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="hooks">The class whose hooks call the kernel.</param>
    private protected BaseIOStream(IOStreamOptions? options, IOLoop? loop, Type? hooks)
    {
        Options = options ?? IOStreamOptions.Default;
        Loop = loop ?? IOLoop.Current;
        _created = Loop.CurrentMoment;
        try
        {
            Options.Validate(nameof(options));
            ObjectDisposedException.ThrowIf(Loop.IsDisposed, Loop);
            HasKernelHooks = hooks is not null && !OverridesHooksOf(hooks);
        }
        catch
        {
            // There is no descriptor yet that a subclass could close.
            GC.SuppressFinalize(this);
            throw;
        }
    }

    /// <summary>Closes a stream that was dropped while it was open, and logs it.</summary>
    ~BaseIOStream()
    {
        // The constructor's arguments were rejected before it began: every field is zero, which for a descriptor would be standard input.
        if (Loop is null) return;
        if (_registration.IsNone && _state.IsNew && _closeCallback is null && _closedSource is null)
        {
            // The constructor failed early, or the stream was never used: only the descriptor, if there is one, has to be closed.
            CloseFd();
            return;
        }

        // Its loop ended and closed it after it was dropped.
        if (_state.IsClosed) return;
        Log.Dropped(Loop.Logger, this);
        if (!Loop.TryPost(this, static stream => stream.CloseNow(CloseReason.Local))) CloseNow(CloseReason.Local);
    }

    /// <summary>The loop that the stream belongs to.</summary>
    public IOLoop Loop { get; }

    /// <summary>The limits and settings that the stream was created with.</summary>
    public IOStreamOptions Options { get; }

    /// <summary>The stream is closed, by either side. What had arrived before can still be read. May be read from any thread.</summary>
    public bool IsClosed => _state.IsClosed || _outcome is { IsAwaitingData: false };

    /// <summary>A read is pending. May be read from any thread.</summary>
    public bool IsReading =>
        _reads.IsParsing || _reads.IsStreaming || _reads.Pending is { IsDrain: false } || _offLoopCalls is { IsReadCrossing: true };

    /// <summary>Data waits to be sent. May be read from any thread.</summary>
    public bool IsWriting => Unsent > 0 || _offLoopCalls is { Writes.IsBusy: true };

    /// <summary>
    /// The error that closed the stream; null while it is open, and after a close without an error. An error of a write is set as soon as
    /// writes fail, although the stream closes only when what arrived before it has been received. May be read from any thread.
    /// </summary>
    public Exception? Error => _outcome?.Error;

    /// <summary>
    /// Why the stream closed, or is about to. Set as soon as the peer's EOF is seen, even with unread data before it. Over TLS it is set
    /// only after that data, because close_notify comes last. May be read from any thread.
    /// </summary>
    public CloseReason CloseReason => _outcome?.Reason ?? _expectedReason;

    /// <summary>Turns Nagle's algorithm off (true) or on (false), on streams that have it; does nothing on others.</summary>
    public virtual void SetNoDelay(bool value)
    {
    }

    /// <summary>The exception for an operation started after the stream closed or was upgraded.</summary>
    private protected Exception RefusedException() => _state.IsMoved
        ? new InvalidOperationException(
            "This stream has been upgraded to TLS, or taken over: use what StartTlsAsync, AsDuplexPipe or AsStream returned.")
        : ClosedException();

    /// <summary>The exception for an operation on the closed stream.</summary>
    private protected StreamClosedException ClosedException()
    {
        if (_outcome is { } outcome) return new StreamClosedException(outcome.Reason, outcome.Error);
        return new StreamClosedException(_expectedReason == CloseReason.None ? CloseReason.Local : _expectedReason);
    }

    /// <summary>Registers a stream that has not been used yet. One that waits for its connection is registered with that.</summary>
    private void RegisterAtFirstUse()
    {
        if (_state.IsNew && !IsConnecting) EnsureRegistered();
    }

    /// <summary>Registers the descriptor with the poller. If that fails, the stream closes with the error.</summary>
    private protected void EnsureRegistered()
    {
        try
        {
            RegisterNow();
        }
        catch (Exception error)
        {
            CloseNow(CloseReason.Error, error);
        }
    }

    private void RegisterNow()
    {
        Loop.AssertIsCurrent();
        if (!_state.IsNew) return;
        _registration = Loop.Register(Descriptor, this);
        _state.Register();
        // No poller reports what is there at first.
        if (!Descriptor.IsOpen) AssumeReadable();
        ForgetUnregistered();
        Loop.Counters.StreamsOpen++;
        // There may already be a waiter: for a connection, or a read started before it.
        UpdateRoot();
    }

    /// <summary>Makes the poller check everything again: what it reported did not count.</summary>
    private protected void LookAgain() => Loop.Rearm(_registration, EdgeEvents.All, DescriptorTraits.None);

    /// <summary>Registers from a constructor, on any thread. If that fails, the caller still owns the descriptor.</summary>
    private protected void Register()
    {
        try
        {
            if (Loop.IsCurrent) RegisterNow();
            else Loop.Post(this, static stream => stream.RegisterLater());
        }
        catch
        {
            GC.SuppressFinalize(this);
            throw;
        }
    }

    /// <summary>
    /// The stream is registered later, if ever. Until then its loop has a weak reference to it, to close it when the loop ends.
    /// </summary>
    private protected void StayUnregistered()
    {
        if (_isUnregistered) return;
        _isUnregistered = true;
        try
        {
            Loop.AddUnregistered(this);
        }
        catch
        {
            GC.SuppressFinalize(this);
            throw;
        }
    }

    private void ForgetUnregistered()
    {
        if (!_isUnregistered) return;
        _isUnregistered = false;
        Loop.RemoveUnregistered(this);
    }

    private void RegisterLater()
    {
        if (!IsClosed) EnsureRegistered();
    }

    /// <summary>Creates streams over both ends of a pair. If one cannot be created, both ends are closed.</summary>
    private protected static (T, T) MakePair<T>((Descriptor First, Descriptor Second) ends, Func<Descriptor, T> make)
        where T : BaseIOStream
    {
        T? first = null;
        try
        {
            first = make(ends.First);
            return (first, make(ends.Second));
        }
        catch
        {
            if (first is null) FileDescriptors.Close(ends.First);
            else first.Close();
            FileDescriptors.Close(ends.Second);
            throw;
        }
    }

    /// <summary>
    /// Roots the stream while an operation is pending: called when a wait begins, and after events, which may end one. A call that is missing
    /// fails in a Debug build, when the loop waits next: <see cref="RegistrationTable.AssertRoots"/>.
    /// </summary>
    private void UpdateRoot()
    {
        if (!_registration.IsNone) Loop.SetRoot(_registration, HasWaiters ? this : null);
    }

    /// <summary>The stream has pending work, or a waiter.</summary>
    private bool HasWaiters => _reads.Pending is not null || _closeCallback is not null || _closedSource is not null
        || Unsent > 0 || _writes.HasWaiters || _state.WriteEnd == WriteEnd.Ending || _state.IsClosing || IsConnecting;
}
