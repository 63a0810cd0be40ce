namespace Waterspout.Connecting;

/// <summary>
/// Waiters for an event that happens once. Any number may wait: adding or cancelling one costs the same however many there are.
/// </summary>
/// <remarks>
/// Instead of one task for all of them, in which each cancelled wait is searched for among the others. Used on the loop's thread.
/// </remarks>
internal sealed class Waiters(IOLoop loop)
{
    private readonly LinkedList<Waiter> _waiting = [];

    internal Task WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
        Waiter waiter = new();
        LinkedListNode<Waiter> node = _waiting.AddLast(waiter);
        if (cancellationToken.CanBeCanceled)
        {
            waiter.Registration = cancellationToken.UnsafeRegister(
                (_, token) => loop.TryPost((Waiters: this, node, token), static call => call.Waiters.GiveUp(call.node, call.token)), null);
        }

        return waiter.Task;
    }

    /// <summary>
    /// The event has happened, or never will. In that case each waiter gets its own exception, since a shared one would grow by a stack
    /// trace with each throw.
    /// </summary>
    internal void Release(Func<Exception>? error)
    {
        while (_waiting.First is { Value: var waiter })
        {
            _waiting.RemoveFirst();
            // Waits for a cancellation callback that runs on another thread, which only queues a call.
            waiter.Registration.Dispose();
            if (error is null) waiter.TrySetResult();
            else waiter.TrySetException(error());
            _ = waiter.Task.Exception; // marks the exception as observed
        }
    }

    private void GiveUp(LinkedListNode<Waiter> node, CancellationToken token)
    {
        if (node.List is null) return;
        _waiting.Remove(node);
        node.Value.Registration.Dispose();
        node.Value.TrySetCanceled(token);
    }

    private sealed class Waiter : TaskCompletionSource
    {
        internal CancellationTokenRegistration Registration { get; set; }
    }
}
