using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Waterspout.Duplex;
using Waterspout.Loop;

namespace Waterspout.Kestrel.Connections;

/// <summary>A connection of the library, with the errors and the notification that Kestrel expects.</summary>
[SuppressMessage("Design", "CA1001",
    Justification = "Without a timer and a wait handle a source has nothing to dispose of, and its token is used after the end.")]
internal sealed class SocketConnection(IConnectionLoop loop, SocketDescriptor descriptor) : PipeConnection(loop, descriptor)
{
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _notified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Cancelled once, on the thread pool, when the client can send nothing more, or the connection has failed or is aborted.
    /// </summary>
    internal CancellationToken ConnectionClosed => _closed.Token;

    /// <summary>Completes when everything that was written has been sent, or dropped because the connection has closed.</summary>
    internal Task Sent => _sent.Task.IsCompleted ? _sent.Task : Task.WhenAny(_sent.Task, Finished);

    // Kestrel has limits of its own for slow clients.
    protected override bool LimitsSending => false;

    /// <summary>Completes when what is registered for <see cref="ConnectionClosed"/> has run.</summary>
    internal Task Notified => _notified.Task;

    // Kestrel logs resets at Debug, by their type, and passes the reason of an abort on. An abort after the client's EOF changes nothing
    // for reads: Kestrel itself aborts then, and half a request is still reported as such.
    internal override Exception? ReadError() => base.ReadError() switch
    {
        null => null,
        _ when Input.IsEofReceived => null,
        { InnerException: ConnectionAbortedException reason } => reason,
        StreamClosedException { Reason: CloseReason.Reset } reset => new ConnectionResetException(reset.Message, reset),
        StreamClosedException { Reason: CloseReason.Local } => new ConnectionAbortedException(),
        Exception other => other,
    };

    internal override void OnOutputEnded()
    {
        base.OnOutputEnded();
        _sent.TrySetResult();
    }

    // Not here: locks are held, and the callbacks are the application's. And after the pending read, if it was the end that completes it:
    // what the read says is more exact than that the connection has closed.
    protected override void OnClosedSignalled()
    {
        if (!Loop.TryPost(this, static connection => connection.NotifyLater())) NotifyLater();
    }

    private void NotifyLater() => ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Notify(), this, preferLocal: false);

    private void Notify()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException)
        {
            // Of the application's callbacks, which nothing of the connection depends on.
        }

        _notified.SetResult();
    }
}
