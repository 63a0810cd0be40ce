namespace Waterspout.Connecting;

/// <summary>Those who wait for a thing that happens once. Any number may: each comes and gives up at a cost that does not depend on the others.</summary>
/// <remarks>Instead of one task for all of them: each who gives up on that one is searched for among the others. On the loop's thread.</remarks>
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

    /// <summary>It has happened, or will not: then with an error for each, since one that is thrown by all would grow by a stack trace at each.</summary>
    internal void Release(Func<Exception>? error)
    {
        while (_waiting.First is { Value: var waiter })
        {
            _waiting.RemoveFirst();
            // Waits for a callback that runs on another thread, which only queues something.
            waiter.Registration.Dispose();
            if (error is null) waiter.TrySetResult();
            else waiter.TrySetException(error());
            _ = waiter.Task.Exception; // nobody has to look
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
