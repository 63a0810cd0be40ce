using System.Buffers;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

/// <summary>
/// A stream over a non-blocking descriptor that says what protocol code wants to say: read until this, read that many,
/// write this, tell me when it closes.
/// </summary>
/// <remarks>
/// <para>One read and any number of writes may be under way at a time. All members may be called from any thread: on the
/// thread of <see cref="Loop"/> they act at once, and awaits go on there, inline; from other threads the call is handed to
/// the loop, and its awaits go on as .NET's rules say (captured context, else the thread pool), never on the loop.</para>
/// <para>To make a stream over something else, derive and implement <see cref="Fileno"/>, <see cref="ReadFromFd"/>,
/// <see cref="WriteToFd(ReadOnlySpan{byte})"/> and <see cref="CloseFd"/>; override <see cref="GetFdError"/> where the descriptor
/// keeps an error to be asked for.</para>
/// </remarks>
public abstract partial class BaseIOStream : IBufferWriter<byte>, IDisposable, IAsyncDisposable, IReadinessHandler
{
    /// <summary>What a stream is registered for, once and for good.</summary>
    internal const IOEvents AllEvents = IOEvents.Read | IOEvents.Write | IOEvents.ReadClosed | IOEvents.Priority;

    private readonly ReadBuffer _readBuffer = new();
    private Registration _registration;
    private StreamState _state = new();
    private bool _isUnregistered;

    /// <summary>Makes a stream on a loop.</summary>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    protected BaseIOStream(IOStreamOptions? options = null, IOLoop? loop = null)
        : this(options, loop, hooks: null) => StayUnregistered(); // until its first use

    /// <summary>Makes a stream of a class that registers its descriptor itself.</summary>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="hooks">The class whose hooks make the kernel's calls.</param>
    private protected BaseIOStream(IOStreamOptions? options, IOLoop? loop, Type? hooks)
    {
        Options = options ?? IOStreamOptions.Default;
        Loop = loop ?? IOLoop.Current;
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

    /// <summary>Closes a stream that was dropped while it was open, and says so in the log.</summary>
    ~BaseIOStream()
    {
        // The arguments of the constructor were refused before it had begun: every field is zero, and so is the number of standard input.
        if (Loop is null) return;
        if (_registration.IsNone && _state.IsNew && _closeCallback is null && _closedSource is null)
        {
            // The constructor failed early, or nothing was ever done with it: only the descriptor, if it has one, has to go.
            CloseFd();
            return;
        }

        // Closed by its loop's end after it was dropped.
        if (_state.IsClosed) return;
        Log.Dropped(Loop.Logger, this);
        if (!Loop.TryPost(this, static stream => stream.CloseNow(CloseReason.Local))) CloseNow(CloseReason.Local);
    }

    /// <summary>The loop that the stream belongs to.</summary>
    public IOLoop Loop { get; }

    /// <summary>The limits and habits that the stream was made with.</summary>
    public IOStreamOptions Options { get; }

    /// <summary>The stream is closed, by whomever. What had arrived before can still be read.</summary>
    public bool IsClosed => _state.IsClosed || _outcome is { IsAwaitingData: false };

    /// <summary>A read is under way.</summary>
    public bool IsReading => _isParsing || _isStreaming || _pendingRead is not (null or DiscardRead) || Volatile.Read(ref _readsOnTheirWay) > 0;

    /// <summary>Data waits to be sent.</summary>
    public bool IsWriting => Unsent > 0 || Volatile.Read(ref _writesOnTheirWay) > 0;

    /// <summary>
    /// The error that closed the stream; null while it is open, and after an end without an error. An error of a write is here as soon as writes fail,
    /// though the stream closes only when what arrived before it is received.
    /// </summary>
    public Exception? Error => _outcome?.Error;

    /// <summary>
    /// Why the stream closed, or is about to: the end of the peer's side is told here before the data in front of it is read. Not so over TLS, where what
    /// kind of an end it is comes behind the data.
    /// </summary>
    public CloseReason CloseReason => _outcome?.Reason ?? _expectedReason;

    /// <summary>Turns Nagle's algorithm off (true) or on (false), on streams that have it; does nothing on others.</summary>
    public virtual void SetNoDelay(bool value)
    {
    }

    /// <summary>The descriptor.</summary>
    protected abstract int Fileno { get; }

    /// <summary>Closes the descriptor. Called once, on the loop, when the poller has forgotten it; or by the finalizer.</summary>
    protected abstract void CloseFd();

    /// <summary>Writes what the descriptor takes without blocking.</summary>
    /// <returns>The number of bytes written; null where it would block.</returns>
    /// <exception cref="IOException">The write failed. The stream closes with this error.</exception>
    protected abstract int? WriteToFd(ReadOnlySpan<byte> data);

    /// <summary>Writes the first of several pieces, or more where the descriptor can do that in one call.</summary>
    /// <remarks>The default writes the first piece. One that is overridden together with the other form gathers.</remarks>
    /// <returns>The number of bytes written; null where it would block.</returns>
    protected virtual int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => WriteToFd(pieces[0].Span);

    /// <summary>Reads what the descriptor has without blocking.</summary>
    /// <returns>The number of bytes read; null where it would block; 0 at the end of the stream.</returns>
    /// <exception cref="IOException">The read failed. The stream closes with this error.</exception>
    protected abstract int? ReadFromFd(Span<byte> buffer);

    /// <summary>The same with memory, for a stream that has to hand it on.</summary>
    private protected virtual int? ReceiveFromFd(Memory<byte> buffer) => ReadFromFd(buffer.Span);

    /// <summary>The error that waits on the descriptor, if it keeps one. Asking may clear it.</summary>
    protected virtual Exception? GetFdError() => null;

    /// <summary>Tells the descriptor's peer that nothing more will be written.</summary>
    /// <returns>False where the descriptor cannot be closed in one direction, which is the default.</returns>
    protected virtual bool ShutdownWrites() => false;

    /// <summary>What may be taken for granted of the hooks. The default is nothing, and that is right for any.</summary>
    /// <remarks>
    /// A class that derives from <see cref="IOStream"/> or <see cref="PipeIOStream"/> and overrides no hook has what those have. One that overrides a hook has
    /// nothing, unless it says otherwise here.
    /// </remarks>
    protected virtual DescriptorTraits Traits => DescriptorTraits.None;

    /// <summary>The hooks are those that make the kernel's calls: no derived class overrides one.</summary>
    private protected bool HasKernelHooks { get; }

    private bool ShortMeansBlocked => (Traits & DescriptorTraits.ShortMeansBlocked) != 0;

    /// <summary>The exception for an operation that begins on a stream that takes no more.</summary>
    private protected Exception RefusedException() => _state.IsMoved
        ? new InvalidOperationException("This stream has been upgraded to TLS. Use the stream that StartTlsAsync returned.")
        : ClosedException();

    /// <summary>The exception for an operation on the closed stream.</summary>
    private protected StreamClosedException ClosedException()
    {
        if (_outcome is { } outcome) return new StreamClosedException(outcome.Reason, outcome.Error);
        return new StreamClosedException(_expectedReason == CloseReason.None ? CloseReason.Local : _expectedReason);
    }

    /// <summary>Makes the descriptor known to the poller, at the first use. Where that fails, the stream closes with the error.</summary>
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
        _registration = RegisterDescriptor();
        _state.Register();
        ForgetUnregistered();
        if (!_registration.IsNone) Loop.Counters.StreamsOpen++;
        // Somebody may wait already: for a connection, or with a read that was begun before it.
        UpdateRoot();
    }

    /// <summary>Makes the poller look again for everything: what it was asked for has been told, and did not count.</summary>
    private protected void LookAgain() => Loop.Rearm(_registration, AllEvents, DescriptorTraits.None);

    /// <summary>Registers the descriptor with the poller; none for a stream over another one, which tells it what happens.</summary>
    private protected virtual Registration RegisterDescriptor() => Loop.Register(Fileno, this);

    /// <summary>Registers from a constructor, on whatever thread that runs. If that fails, the descriptor stays the caller's.</summary>
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

    /// <summary>The stream is registered later, if ever. Until then its loop holds it weakly, to close it at its end.</summary>
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

    /// <summary>Streams over both ends of something that was made for them. If one cannot be made, both ends are closed.</summary>
    private protected static (T, T) MakePair<T>((int First, int Second) ends, Func<int, T> make)
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

    /// <summary>Holds the stream in memory while somebody waits for it, and no longer.</summary>
    internal virtual void UpdateRoot()
    {
        if (!_registration.IsNone) Loop.Hold(_registration, HasWaiters ? this : null);
    }

    /// <summary>Somebody waits for something that the stream will do.</summary>
    internal virtual bool HasWaiters => HasReadWaiter || _closeCallback is not null || _closedSource is not null
        || Unsent > 0 || _writes.HasWaiters || _state.IsClosing || IsConnecting;

    /// <summary>A read is under way, and somebody waits for it.</summary>
    private protected virtual bool HasReadWaiter => _pendingRead is not null;
}
