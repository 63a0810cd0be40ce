using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Server;
using Waterspout.Tls;

namespace Waterspout;

// A connection counts from the moment it is accepted: also while it is handed over to another loop, which may be busy, stopped
// or gone, and while TLS shakes hands. Until its loop has made a stream of it, whoever takes the descriptor first answers for it: the
// loop, to begin, or a stop of the server, to close.
public partial class TcpServer
{
    private readonly HashSet<Connection> _connections = [];
    private readonly IOStreamOptions _tlsOptions; // those of the streams, but for what the server has options of its own for

    /// <summary>The number of connections that are open, those included that are still on their way to the handler.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_connections) return _connections.Count;
        }
    }

    private bool HasRoom() => Options.MaxConnections is not { } limit || ConnectionCount < limit;

    private void Accept(int fd, IOLoop loop)
    {
        Connection connection = new(this, fd);
        lock (_connections) _connections.Add(connection);
        // Either the close of what is left finds the connection, or this finds that it has begun.
        if (_isCut) Close(connection);
        else if (loop.IsCurrent) Begin(connection, loop);
        else if (!loop.TryPost((Server: this, connection, loop), static call => call.Server.Begin(call.connection, call.loop))) Close(connection);
    }

    /// <summary>Takes a connection over on its loop.</summary>
    private void Begin(Connection connection, IOLoop loop)
    {
        // What a loop has in its queue when it is disposed still runs, and no stream can be made on it any more.
        if (loop.IsDisposed) Close(connection);
        else if (connection.TryTakeDescriptor(out int fd)) _ = RunAsync(connection, fd, loop);
    }

    private async Task RunAsync(Connection connection, int fd, IOLoop loop)
    {
        try
        {
            loop.Counters.Accepted++;
            IOStream stream = MakeStream(fd, loop);
            connection.Stream = stream;
            Log.Accepted(loop.Logger, stream);
            bool isReady = stream is not SslIOStream tls || await tls.TryHandshakeAsync();
            loop.SetRunning((object?)_handler ?? this);
            Task handling = isReady ? HandleStreamAsync(stream) : Task.CompletedTask;
            // Not awaited: that would hold 184 bytes more for as long as the connection lasts. What follows may be done on any thread.
            _ = handling.ContinueWith(
                static (handling, connection) => ((Connection)connection!).Finish(handling),
                connection,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
        catch (Exception error)
        {
            // Of the making of the stream, or of a handler that is no async method.
            connection.Finish(Task.FromException(error));
        }
    }

    private async Task FinishAsync(Connection connection, Task handling)
    {
        try
        {
            // Nearly every handler ends by an exception, when its peer has gone. Throwing it here once more took 4 us a connection.
            if (handling.Exception?.InnerException is not StreamClosedException closed || IsOfAnother(closed, connection.Holder)) await handling;
        }
        catch (OperationCanceledException) when (_isStopped)
        {
            // By the token that notifies of the stop. What the handler has written is still sent, below.
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // How idle peers and stopped servers end a handler: no mistake of anybody's.
            Log.HandlerEnded(_logger, connection.Holder, error.Message);
            connection.Holder?.Close(error);
        }
        catch (UnsatisfiableReadException error)
        {
            // The peer's doing, which any peer can do: the line of the close says so.
            connection.Holder?.Close(error);
        }
        catch (Exception error)
        {
            Log.HandlerFailed(_logger, error, connection.Holder);
            _loops[0].ReportUnhandled(error);
            connection.Holder?.Close(error);
        }

        if (connection.Holder is { } stream) await CloseAsync(stream);
        End(connection);
    }

    /// <summary>The error of another connection, most likely one that could not be made: it does not end the handler's own, and nobody else says it.</summary>
    private static bool IsOfAnother(StreamClosedException closed, IOStream? stream) =>
        closed is { InnerException: not null, Reason: CloseReason.None or CloseReason.Error } && stream is { CloseReason: CloseReason.None };

    private IOStream MakeStream(int fd, IOLoop loop) => FileDescriptors.HandOver(fd, fd => Options.Ssl is { } ssl
        ? new SslIOStream(null, ssl, new TlsTransport(fd, isConnected: true, _tlsOptions, loop), _tlsOptions)
        : IOStream.FromAccepted(fd, _streamOptions, loop));

    private static async ValueTask CloseAsync(IOStream stream)
    {
        try
        {
            await stream.CloseAsync();
        }
        catch (StreamClosedException)
        {
            // Its loop is gone, and has closed it.
        }
    }

    /// <summary>Closes a connection, wherever it is.</summary>
    private void Close(Connection connection)
    {
        if (!connection.Close(out int fd)) return;
        FileDescriptors.Close(fd);
        End(connection);
    }

    private void End(Connection connection)
    {
        TaskCompletionSource? emptied;
        lock (_connections)
        {
            _connections.Remove(connection);
            emptied = _connections.Count == 0 ? _emptied : null;
        }

        emptied?.TrySetResult();
        if (Options.MaxConnections is null || _isStopped) return;
        lock (_listeners)
            foreach (Listener listener in _listeners) listener.Resume();
    }

    /// <summary>A connection from its acceptance to its end: a descriptor first, a stream as soon as its loop has it.</summary>
    private sealed class Connection(TcpServer server, int fd)
    {
        private int _fd = fd;
        private bool _isClosed;
        private IOStream? _stream;

        internal IOStream? Stream
        {
            get => Volatile.Read(ref _stream);
            set
            {
                // Both sides write, then look, with a barrier between: one of the two at least sees the other.
                Interlocked.Exchange(ref _stream, value);
                if (Volatile.Read(ref _isClosed)) value?.CloseHolder();
            }
        }

        /// <summary>The stream that the handler was given, or upgraded that to.</summary>
        internal IOStream? Holder => Stream?.Holder;

        /// <summary>False where it has been closed on its way.</summary>
        internal bool TryTakeDescriptor(out int fd)
        {
            fd = Interlocked.Exchange(ref _fd, -1);
            return fd >= 0;
        }

        /// <summary>Closes the stream. True where there is none yet: then the descriptor is the caller's to close.</summary>
        internal bool Close(out int fd)
        {
            Interlocked.Exchange(ref _isClosed, true);
            Stream?.CloseHolder();
            return TryTakeDescriptor(out fd);
        }

        /// <summary>The handler has ended.</summary>
        internal void Finish(Task handling) => _ = server.FinishAsync(this, handling);
    }
}
