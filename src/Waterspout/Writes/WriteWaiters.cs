using System.Diagnostics.CodeAnalysis;

namespace Waterspout.Writes;

/// <summary>The waiters for positions in a stream's sent data, in order. Created with the first waiter.</summary>
/// <remarks>
/// A list through the operations themselves: adding or removing one, cancelled or not, costs the same however many there are.
/// </remarks>
internal sealed class WriteWaiters
{
    private WriteOperation? _first;
    private WriteOperation? _last;
    private Action? _callback;
    private long _callbackPosition;

    internal bool HasWaiters => _first is not null;

    internal ValueTask Add(IWriteOwner owner, long position, bool isFlush, CancellationToken cancellationToken)
    {
        // Never before earlier waiters: writes complete in order.
        if (_last is not null) position = Math.Max(position, _last.Position);
        WriteOperation operation = WriteOperation.Rent(owner, position, isFlush);
        Append(operation);
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
        if (!operation.IsQueued) return false;
        if (operation.Previous is { } previous) previous.Next = operation.Next;
        else _first = operation.Next;
        if (operation.Next is { } next) next.Previous = operation.Previous;
        else _last = operation.Previous;
        operation.Next = operation.Previous = null;
        operation.IsQueued = false;
        return true;
    }

    /// <summary>The next waiter whose data has been sent.</summary>
    internal bool TryTake(long sent, [NotNullWhen(true)] out WriteOperation? operation)
    {
        operation = _first;
        return operation is not null && operation.Position <= sent && Remove(operation);
    }

    /// <summary>The callback, if everything before it has been sent.</summary>
    internal Action? TakeCallback(long sent)
    {
        if (_callbackPosition > sent) return null;
        Action? callback = _callback;
        _callback = null;
        return callback;
    }

    private void Append(WriteOperation operation)
    {
        operation.IsQueued = true;
        operation.Previous = _last;
        if (_last is { } last) last.Next = operation;
        else _first = operation;
        _last = operation;
    }
}
