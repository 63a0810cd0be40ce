using System.Diagnostics.CodeAnalysis;

namespace Waterspout.Buffers;

/// <summary>Those who wait until so much of a stream has been sent, in order. Streams that nobody has waited for have none.</summary>
internal sealed class WriteWaiters
{
    private Queue<WriteOperation> _operations = [];
    private long _lastPosition;
    private Action? _callback;
    private long _callbackPosition;

    internal bool IsAwaited => _operations.Count > 0;

    internal ValueTask Add(BaseIOStream stream, long position, bool isFlush, CancellationToken cancellationToken)
    {
        // Never before the ones ahead: writes complete in order.
        if (IsAwaited) position = Math.Max(position, _lastPosition);
        _lastPosition = position;
        WriteOperation operation = WriteOperation.Rent(stream, position, isFlush);
        _operations.Enqueue(operation);
        operation.RegisterCancellation(cancellationToken);
        return operation.Task;
    }

    internal void SetCallback(Action callback, long position)
    {
        _callback = callback;
        _callbackPosition = position;
    }

    internal bool Remove(WriteOperation operation)
    {
        if (!_operations.Contains(operation)) return false;
        _operations = new Queue<WriteOperation>(_operations.Where(other => other != operation));
        return true;
    }

    /// <summary>The next whose data has been sent.</summary>
    internal bool TryTake(long sent, [NotNullWhen(true)] out WriteOperation? operation)
    {
        operation = null;
        return _operations.TryPeek(out WriteOperation? next) && next.Position <= sent && _operations.TryDequeue(out operation);
    }

    /// <summary>The callback, if everything in front of it has been sent.</summary>
    internal Action? TakeCallback(long sent)
    {
        if (_callbackPosition > sent) return null;
        Action? callback = _callback;
        _callback = null;
        return callback;
    }
}
