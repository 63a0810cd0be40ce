using Waterspout.Diagnostics;

namespace Waterspout;

// The end of this side, before the close: everything is sent first, and reading continues.
public abstract partial class BaseIOStream
{
    private async ValueTask CompleteWritesCoreAsync(CancellationToken cancellationToken)
    {
        Task ending = EndWritesAsync();
        // The wait may be cancelled, and the end is still sent. If that fails later, the close reports it.
        if (cancellationToken.CanBeCanceled) ending.IgnoreFailure();
        await ending.WaitAsync(cancellationToken);
    }

    private async Task EndWritesAsync()
    {
        _state.BeginWriteEnd();
        UpdateRoot();
        await FlushWhenConnectedAsync(default);
        if (_state.HasDroppedWrites) throw ClosedException();
        if (!ShutdownWrites())
        {
            _state.CancelWriteEnd();
            throw new NotSupportedException("This descriptor cannot be closed in one direction.");
        }

        await WriteEndSent;
        _state.CompleteWriteEnd();
        UpdateRoot();
        if (_state.IsEofReceived) CloseNow(EofReason);
        else if (_state.IsEofAnnounced) ProbeForEofLater();
    }

    /// <summary>A flush that also waits for a pending connect, even if nothing has been written.</summary>
    private protected virtual ValueTask FlushWhenConnectedAsync(CancellationToken cancellationToken) => FlushCore(cancellationToken);
}
