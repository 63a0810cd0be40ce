using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Waterspout.Orleans;

/// <summary>A connection as Orleans and its middleware see it, over the pipes of a stream.</summary>
/// <remarks>
/// Orleans ends a connection like this: it cancels the pending read and flush, completes both pipes, aborts, waits for
/// <see cref="BaseConnectionContext.ConnectionClosed"/>, and disposes. Under TLS the pipes that it completes are those of the middleware,
/// and the ones here are still open then. So an abort is the regular end, with messages that were sent just before, and must not drop them.
/// </remarks>
[SuppressMessage("Design", "CA1001",
    Justification = "Without a timer and a wait handle a source has nothing to dispose of, and its token is used after the end.")]
internal sealed class OrleansConnection : DefaultConnectionContext, IMemoryPoolFeature
{
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _notified = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IDuplexPipe _pipe;
    private int _isEnded;

    /// <summary>Takes a connected stream over.</summary>
    /// <exception cref="StreamClosedException">It has closed meanwhile.</exception>
    internal OrleansConnection(IOStream stream)
    {
        Transport = _pipe = stream.AsDuplexPipe();
        LocalEndPoint = stream.LocalEndPoint;
        RemoteEndPoint = stream.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Features.Set<IMemoryPoolFeature>(this);
        // Runs even if the connection has closed since. Otherwise Orleans reads the end, and aborts.
        stream.SetCloseCallback(End);
    }

    /// <summary>For the TLS middleware. With this one the platform's pipes rent arrays, without an object for each.</summary>
    public MemoryPool<byte> MemoryPool => MemoryPool<byte>.Shared;

    /// <summary>
    /// Ends the connection: sends what is unsent, for at most ten seconds, and receives no more. May be called from any thread, and again.
    /// </summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        _pipe.Input.Complete();
        _pipe.Output.Complete();
        End();
    }

    /// <summary>Ends the connection. Completes when what is registered for the token has run.</summary>
    public override async ValueTask DisposeAsync()
    {
        Abort();
        await _notified.Task.ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    // The callbacks are Orleans' and the application's: they must not run on the loop, nor within Abort.
    private void End()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Notify(), this, preferLocal: false);
    }

    private void Notify()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException)
        {
            // Of the callbacks, which nothing of the connection depends on.
        }

        _notified.SetResult();
    }
}
