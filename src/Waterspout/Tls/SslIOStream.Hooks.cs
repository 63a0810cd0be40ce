using System.Buffers;
using System.Net.Sockets;
using System.Security.Authentication;
using Waterspout.Diagnostics;
using Waterspout.Tls;

namespace Waterspout;

// TLS between the hooks of this class, which the stream calls for plaintext, and those of its base class, which it calls for ciphertext.
public partial class SslIOStream : ITransport
{
    private TaskCompletionSource? _ending; // of this side: close_notify and FIN
    private bool _hasPeerEnded; // by close_notify
    private bool _mayHaveTickets; // unread, before a server's first data
    private bool _isCutInRecord; // never regular, even if close_notify may be missing

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => DescriptorTraits.EofInData | DescriptorTraits.Exact;

    /// <inheritdoc/>
    protected override CloseReason EofReason =>
        _isCutInRecord || (_engine is { IsTruncated: true } && !Options.AllowTruncation) ? CloseReason.Truncated : CloseReason.EndOfStream;

    /// <inheritdoc/>
    protected override bool MoreWillCome => _engine is { IsDeferred: true };

    /// <inheritdoc/>
    protected override Task WriteEndSent => _ending?.Task ?? Task.CompletedTask;

    bool ITransport.ShortMeansBlocked => (KernelTraits & DescriptorTraits.ShortMeansBlocked) != 0;

    int? ITransport.Receive(Span<byte> space) => base.ReadFromFd(space);

    int? ITransport.Send(ReadOnlySpan<byte> data) => base.WriteToFd(data);

    int? ITransport.Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => base.WriteToFd(pieces);

    // A failing stream waits for what was deferred, and closes when that is all.
    void ITransport.OnDeferredInVain() => NotifyReady(IOEvents.Read);

    // Not now: this is within a hook.
    void ITransport.OnSendFailed() => NotifyReadyLater(IOEvents.Error);

    void ITransport.Await(IOEvents events) => AwaitReadiness(events);

    /// <summary>There is plaintext, or EOF, that no event will report.</summary>
    internal void OnPlaintextReadable() => NotifyReady(IOEvents.Read);

    /// <summary>A write that had to wait for a renegotiation may continue.</summary>
    internal void OnEncryptionPossible() => NotifyReady(IOEvents.Write);

    /// <inheritdoc/>
    protected override void OnEvents(IOEvents events)
    {
        base.OnEvents(events);
        if (_engine is not { } engine)
        {
            _early |= events;
            return;
        }

        engine.OnEvents(events);
        EndIfSent();
        if (_handshake is not { } handshake) return;
        if (engine.IsEndAnnounced) handshake.OnPeerEnded();
        engine.ContinueHandshake();
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        // The stream itself does not read this way, but a subclass may.
        byte[] copy = new byte[buffer.Length];
        int? count = ReadFromFd(copy.AsMemory());
        copy.AsSpan(0, count ?? 0).CopyTo(buffer);
        return count;
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Memory<byte> buffer)
    {
        int? count = Decrypt(buffer);
        if (count > 0) _mayHaveTickets = false;
        if (count == 0) _hasPeerEnded = EofReason == CloseReason.EndOfStream;
        return count;
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) => WriteToFd(data.ToArray().AsMemory());

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlyMemory<byte> data) => _engine!.Write([data]);

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => _engine!.Write(pieces);

    /// <inheritdoc/>
    protected override Exception? GetFdError() => _engine?.TransportError ?? base.GetFdError();

    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        if (_ending is not null) return true;
        if (IsConnecting || _engine!.TransportError is not null) return false;
        _engine.Shutdown();
        _ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        EndIfSent();
        return true;
    }

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        // The peer has sent close_notify, so it gets ours, if the kernel accepts it now. It is not sent if data before it is missing.
        if (_hasPeerEnded && Error is null && !IsWriting && IsEstablished) TryShutdown();
        // Session tickets were not requested, so they should not cause a reset.
        if (_mayHaveTickets) DiscardReceived();
        base.CloseFd();
        if (_ending is { } ending && ending.TrySetException(new StreamClosedException(CloseReason, Error))) ending.Task.IgnoreFailure();
        ReleaseEngine();
    }

    private int? Decrypt(Memory<byte> buffer)
    {
        try
        {
            return _engine!.Read(buffer);
        }
        catch (Exception) when (_engine!.TransportError is { } cause)
        {
            // SslStream itself would only report that reading failed.
            throw cause;
        }
        catch (IOException) when (_engine!.IsTruncated)
        {
            // EOF came in the middle of a record.
            _isCutInRecord = true;
            return 0;
        }
    }

    private void EndIfSent()
    {
        if (_ending is not { Task.IsCompleted: false } ending || !_engine!.IsFlushed) return;
        base.ShutdownWrites();
        ending.SetResult();
    }

    private void TryShutdown()
    {
        try
        {
            _engine!.Shutdown();
        }
        catch (Exception error) when (error is IOException or AuthenticationException or InvalidOperationException)
        {
            // Nothing can be sent in the middle of a renegotiation. The descriptor is closed all the same.
        }
    }

    /// <summary>
    /// Discards unread data. Left there it would turn the close into a reset, and that would drop what is still to be sent.
    /// </summary>
    private void DiscardReceived()
    {
        byte[] rest = ArrayPool<byte>.Shared.Rent(Options.ReadChunkSize);
        try
        {
            // As often as a turn allows: a peer that keeps sending is reset.
            for (int i = 0; i < 4 && base.ReadFromFd(rest.AsSpan()) == rest.Length; i++)
            {
            }
        }
        catch (SocketException)
        {
            // There is no peer left to send anything to.
        }

        ArrayPool<byte>.Shared.Return(rest);
    }
}
