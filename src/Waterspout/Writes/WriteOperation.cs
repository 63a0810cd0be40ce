using System.Threading.Tasks.Sources;
using Waterspout.Loop;

namespace Waterspout.Writes;

/// <summary>A waiter for a position in the sent data: a write over the high-water mark, or a flush.</summary>
internal sealed class WriteOperation : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _source;
    private CancellationTokenRegistration _cancellation;
    private Exception? _error;
    private object? _awaiter;

    internal IWriteOwner Owner { get; private set; } = null!;

    /// <summary>Released when this many bytes have been sent since the stream was created.</summary>
    internal long Position { get; private set; }

    /// <summary>Cancelling a write closes the stream; cancelling a flush only ends the wait.</summary>
    internal bool IsFlush { get; private set; }

    /// <summary>Its neighbours in the list of waiters, so that a cancelled one can be removed anywhere.</summary>
    internal WriteOperation? Next { get; set; }

    internal WriteOperation? Previous { get; set; }

    internal bool IsQueued { get; set; }

    internal short Version => _source.Version;

    internal ValueTask Task => new(this, _source.Version);

    internal static WriteOperation Rent(IWriteOwner owner, long position, bool isFlush)
    {
        WriteOperation operation = OperationPool<WriteOperation>.Rent();
        operation.Owner = owner;
        operation.Position = position;
        operation.IsFlush = isFlush;
        return operation;
    }

    internal void RegisterCancellation(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        _cancellation = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            WriteOperation operation = (WriteOperation)state!;
            operation.Owner.RequestCancelWrite(operation, operation.Version, token);
        }, this);
    }

    /// <summary>Sets the outcome; <see cref="Signal"/> reports it.</summary>
    internal void Finish(Exception? error = null)
    {
        _error = error;
        // Waits for a cancellation callback on another thread: see ReadOperation.
        _cancellation.Dispose();
        _cancellation = default;
    }

    internal void Signal()
    {
        if (_awaiter is not null) Owner.Loop.SetRunning(_awaiter);
        if (_error is { } error) _source.SetException(error);
        else _source.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _source.GetResult(token);
        }
        finally
        {
            if (token == _source.Version && _source.GetStatus(token) != ValueTaskSourceStatus.Pending) Recycle();
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _source.RunContinuationsAsynchronously = !Owner.Loop.MayResumeInline(ref flags);
        _awaiter = state;
        _source.OnCompleted(continuation, state, token, flags);
    }

    private void Recycle()
    {
        _source.Reset();
        _error = null;
        _awaiter = null;
        Owner = null!;
        OperationPool<WriteOperation>.Return(this);
    }
}
