using System.Runtime.CompilerServices;

namespace Waterspout;

// What a stream is made of: the hooks that a derived class implements, what it says about them, and what it reports.
public abstract partial class BaseIOStream
{
    // Cached per derived class, since a delegate and its method cost more than the rest of the constructor.
    private static readonly ConditionalWeakTable<Type, object> s_hasOwnHooks = [];

    private delegate int? SpanRead(Span<byte> buffer);

    private delegate int? MemoryRead(Memory<byte> buffer);

    private delegate int? SpanWrite(ReadOnlySpan<byte> data);

    private delegate int? MemoryWrite(ReadOnlyMemory<byte> data);

    private delegate int? Gather(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>The descriptor. Negative if there is none, which is the default.</summary>
    /// <remarks>
    /// The loop watches it from the first use of the stream. A stream without one calls <see cref="NotifyReady"/> itself.
    /// </remarks>
    protected virtual int Fileno => -1;

    /// <summary>What the stream may assume about the hooks. The default is nothing, which is right for any hooks.</summary>
    /// <remarks>
    /// A class that derives from <see cref="IOStream"/> or <see cref="PipeIOStream"/> and overrides no hook has the traits of its base
    /// class. A class that overrides a hook has none, unless it overrides this.
    /// </remarks>
    protected virtual DescriptorTraits Traits => DescriptorTraits.None;

    /// <summary>The close reason that EOF, once received, stands for. <see cref="CloseReason.EndOfStream"/> is the default.</summary>
    /// <remarks>
    /// Any other reason means that data may be missing: <see cref="ReadUntilCloseAsync(CancellationToken, TimeSpan?)"/> fails with it.
    /// </remarks>
    protected virtual CloseReason EofReason => CloseReason.EndOfStream;

    /// <summary>
    /// Completes when the system has accepted what <see cref="ShutdownWrites"/> has to send, if that takes longer than the call.
    /// </summary>
    /// <remarks>
    /// Must not fail, except with a <see cref="StreamClosedException"/> when the stream closes first. <see cref="CompleteWritesAsync"/> and
    /// <see cref="CloseAsync"/> wait for it.
    /// </remarks>
    protected virtual Task WriteEndSent => Task.CompletedTask;

    /// <summary>
    /// Nothing can be read now, but the read hook has not yet returned all data that had arrived: it is still being decoded, for example.
    /// </summary>
    /// <remarks>
    /// Used after a write has failed: the stream closes when nothing more comes. While this is true, <see cref="NotifyReady"/> must follow.
    /// </remarks>
    protected virtual bool MoreWillCome => false;

    /// <summary>The hooks call the kernel: no derived class overrides one.</summary>
    private protected bool HasKernelHooks { get; }

    private bool ShortMeansBlocked => (Traits & DescriptorTraits.ShortMeansBlocked) != 0;

    private bool IsEofInData => (Traits & DescriptorTraits.EofInData) != 0;

    /// <summary>Reads what there is without blocking. Called on the loop.</summary>
    /// <returns>The number of bytes read; null if it would block; 0 at EOF.</returns>
    /// <exception cref="IOException">The read failed. The stream closes with this error.</exception>
    protected abstract int? ReadFromFd(Span<byte> buffer);

    /// <summary>The same with memory, for a stream that has to pass it on.</summary>
    /// <param name="buffer">Valid during the call.</param>
    /// <remarks>The stream calls this overload. The default calls the other one.</remarks>
    /// <inheritdoc cref="ReadFromFd(Span{byte})" path="/returns"/>
    /// <inheritdoc cref="ReadFromFd(Span{byte})" path="/exception"/>
    // An array fits both, and means the other one.
    [OverloadResolutionPriority(-1)]
    protected virtual int? ReadFromFd(Memory<byte> buffer) => ReadFromFd(buffer.Span);

    /// <summary>Writes what is accepted without blocking. Called on the loop.</summary>
    /// <returns>The number of bytes written; null if it would block.</returns>
    /// <exception cref="IOException">
    /// The write failed. Data that has arrived is still read, then the stream closes with this error.
    /// </exception>
    protected abstract int? WriteToFd(ReadOnlySpan<byte> data);

    /// <summary>The same with memory, for a stream that has to pass it on.</summary>
    /// <param name="data">Valid during the call. What was not accepted comes again in the next call, perhaps with more after it.</param>
    /// <remarks>The stream calls this overload for a single piece. The default calls the other one.</remarks>
    /// <inheritdoc cref="WriteToFd(ReadOnlySpan{byte})" path="/returns"/>
    /// <inheritdoc cref="WriteToFd(ReadOnlySpan{byte})" path="/exception"/>
    [OverloadResolutionPriority(-1)]
    protected virtual int? WriteToFd(ReadOnlyMemory<byte> data) => WriteToFd(data.Span);

    /// <summary>Writes what is accepted of several pieces without blocking. Called on the loop.</summary>
    /// <remarks>The default writes one piece after the other. Override it if the descriptor can gather them in one call.</remarks>
    /// <returns>The number of bytes written; null if it would block.</returns>
    protected virtual int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        int? total = null;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            int? count = WriteToFd(piece);
            if (count is not null) total = (total ?? 0) + count;
            // The next piece must not overtake the rest of this one.
            if (count is null || count < piece.Length) break;
        }

        return total;
    }

    /// <summary>The pending error of the descriptor, if it keeps one. The query may clear it. Called on the loop.</summary>
    protected virtual Exception? GetFdError() => null;

    /// <summary>Notifies the peer that nothing more will be written. Called on the loop, after all data has been sent.</summary>
    /// <returns>False if the stream cannot be closed in one direction, which is the default.</returns>
    protected virtual bool ShutdownWrites() => false;

    /// <summary>Called on the loop when a close callback is set, or <see cref="Closed"/> is used.</summary>
    /// <remarks>
    /// The close is reported without a reader too. A stream that notices the peer's EOF only by reading starts to read ahead here, up to a
    /// limit, and reports what it finds by <see cref="NotifyReadyLater"/>.
    /// </remarks>
    protected virtual void OnCloseAwaited()
    {
    }

    /// <summary>
    /// Closes what is under the stream. Called once, on the loop, after the removal of a descriptor from the poller; or by the finalizer.
    /// </summary>
    protected abstract void CloseFd();

    /// <summary>Reports what the loop cannot see: that a read or write is worth a try, that EOF has come, that there is an error.</summary>
    /// <param name="events">
    /// <see cref="IOEvents.Read"/>, <see cref="IOEvents.Write"/>, <see cref="IOEvents.ReadClosed"/> and <see cref="IOEvents.Error"/>, alone
    /// or together.
    /// </param>
    /// <remarks>
    /// May be called from any thread. On the loop it acts at once: hooks are called and reads resume within this call, so a hook must not
    /// call it, and calls <see cref="NotifyReadyLater"/> instead. From another thread it acts in the loop's next turn. Does nothing after
    /// the stream or the loop has closed.
    /// </remarks>
    protected void NotifyReady(IOEvents events)
    {
        if (!Loop.IsCurrent)
        {
            NotifyReadyLater(events);
            return;
        }

        if (_state.IsNew && !IsClosed) RegisterAtFirstUse();
        HandleEvents(events);
    }

    /// <summary>Reports as <see cref="NotifyReady"/> does, but in the loop's next turn. For calls within a hook.</summary>
    /// <param name="events">As for <see cref="NotifyReady"/>.</param>
    protected void NotifyReadyLater(IOEvents events) =>
        Loop.TryPost((Stream: this, events), static report => report.Stream.NotifyReady(report.events));

    /// <summary>True if this class, or one between it and <paramref name="owner"/>, overrides a hook that reads or writes.</summary>
    private bool OverridesHooksOf(Type owner)
    {
        Type type = GetType();
        if (type == owner) return false;
        if (s_hasOwnHooks.TryGetValue(type, out object? known)) return (bool)known;
        // By delegate, not by the name of the method, so that trimming a program keeps it.
        Delegate[] hooks =
        [
            new SpanRead(ReadFromFd), new MemoryRead(ReadFromFd),
            new SpanWrite(WriteToFd), new MemoryWrite(WriteToFd), new Gather(WriteToFd),
        ];
        bool overrides = Array.Exists(
            hooks, hook => hook.Method.DeclaringType != owner && hook.Method.DeclaringType != typeof(BaseIOStream));
        s_hasOwnHooks.TryAdd(type, overrides);
        return overrides;
    }
}
