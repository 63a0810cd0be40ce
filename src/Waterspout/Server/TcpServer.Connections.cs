using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Server;

namespace Waterspout;

// A connection counts from the moment it is accepted: also while it is handed over to another loop, which may be busy, stopped or disposed,
// and during the TLS handshake. Until its loop has created a stream for it, whichever takes the descriptor first is responsible for it: the
// loop, to begin, or a stop of the server, to close.
public partial class TcpServer
{
    private readonly HashSet<Connection> _connections = [];
    private readonly IOStreamOptions _tlsOptions; // the stream options, overridden by the server's own options for TLS

    /// <summary>
    /// The number of open connections, including those that have not reached the handler yet. May be read from any thread.
    /// </summary>
    public int ConnectionCount
    {
        get
        {
            lock (_connections) return _connections.Count;
        }
    }

    private bool HasRoom() => Options.MaxConnections is not { } limit || ConnectionCount < limit;

    private void Accept(Descriptor fd, IOLoop loop)
    {
        if (Admit(fd) is not { } connection) return;
        lock (_connections) _connections.Add(connection);
        // Either closing the remaining connections finds this one, or this call sees that closing has begun.
        if (_isCut) Close(connection);
        else if (loop.IsCurrent) Begin(connection, loop);
        else if (!loop.TryPost((Server: this, connection, loop), static call => call.Server.Begin(call.connection, call.loop)))
            Close(connection);
    }

    /// <summary>Takes over a connection on its loop.</summary>
    private void Begin(Connection connection, IOLoop loop)
    {
        // Callbacks queued when a loop is disposed still run, but no stream can be created on it any more.
        if (loop.IsDisposed) Close(connection);
        else if (connection.TryTakeDescriptor(out Descriptor fd)) _ = RunAsync(connection, fd, loop);
    }

    private async Task RunAsync(Connection connection, Descriptor fd, IOLoop loop)
    {
        try
        {
            loop.Counters.Accepted++;
            IOStream? stream;
            if (Options.Proxy is { } proxy)
            {
                stream = await MakeStreamBehindProxyAsync(connection, fd, loop, proxy);
            }
            else
            {
                connection.Stream = stream = MakeStream(fd, loop);
                Log.Accepted(loop.Logger, stream);
                if (stream is SslIOStream tls && !await tls.TryHandshakeAsync()) stream = null;
            }

            loop.SetRunning((object?)_handler ?? this);
            Task handling = stream is null ? Task.CompletedTask : HandleStreamAsync(stream);
            // Not awaited: that would hold 184 bytes more for as long as the connection lasts. The continuation may run on any thread.
            _ = handling.ContinueWith(
                static (handling, connection) => ((Connection)connection!).Finish(handling),
                connection,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
        catch (Exception error)
        {
            // Thrown while the stream was created, or by a handler that is not an async method.
            connection.Finish(Task.FromException(error));
        }
    }

    private async Task FinishAsync(Connection connection, Task handling)
    {
        try
        {
            // Nearly every handler ends with an exception, when its peer disconnects. Rethrowing it here took 4 us a connection.
            bool isEnd = handling.Exception?.InnerException is StreamClosedException closed && !IsOfAnother(closed, connection.Holder);
            if (!isEnd) await handling;
        }
        catch (OperationCanceledException) when (_isStopped)
        {
            // Cancelled by the Stopping token. What the handler has written is still sent, below.
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // The usual end of handlers of idle peers and stopped servers: not a failure.
            Log.HandlerEnded(_logger, connection.Holder, error.Message);
            connection.Holder?.Close(error);
        }
        catch (UnsatisfiableReadException error)
        {
            // Caused by the peer, as any peer can: the log line of the close reports it.
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

    /// <summary>
    /// The error comes from another connection, most likely one that could not be made: it did not close the handler's own stream, and is
    /// reported nowhere else.
    /// </summary>
    private static bool IsOfAnother(StreamClosedException closed, IOStream? stream) =>
        closed is { InnerException: not null, Reason: CloseReason.None or CloseReason.Error }
        && stream is { IsConnectionOver: false };

    private IOStream MakeStream(Descriptor fd, IOLoop loop)
    {
        IOStream plain = FileDescriptors.HandOver(fd, fd =>
        {
            // The other settings are inherited from the listening socket.
            SocketSettings.Configure(fd, _streamOptions.ConfigureSocket);
            return _tls is null
                ? IOStream.FromAccepted(fd, _streamOptions, loop)
                : IOStream.FromAcceptedForUpgrade(fd, _tlsOptions, loop);
        });
        try
        {
            return _tls is { } tls ? new SslIOStream(null, tls, plain) : plain;
        }
        catch
        {
            plain.Close();
            throw;
        }
    }

    private static async ValueTask CloseAsync(IOStream stream)
    {
        try
        {
            await stream.CloseAsync();
            await stream.CloseTakerAsync();
        }
        catch (StreamClosedException)
        {
            // Its loop was disposed, which closed it.
        }
    }

    /// <summary>Closes a connection, whatever its state.</summary>
    private void Close(Connection connection)
    {
        if (!connection.Close(out Descriptor fd)) return;
        FileDescriptors.Close(fd);
        End(connection);
    }

    private void End(Connection connection)
    {
        // Before a stop that waits for this end completes.
        if (connection is WatchedConnection watched) NotifyEnd(watched.Request);
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

    /// <summary>A connection from accept to close: first a descriptor, then a stream, as soon as its loop has created it.</summary>
    private class Connection(TcpServer server, Descriptor fd)
    {
        private Descriptor _fd = fd;
        private bool _isClosed;
        private IOStream? _stream;

        internal IOStream? Stream
        {
            get => Volatile.Read(ref _stream);
            set
            {
                // Both sides write, then read, with a barrier between: at least one of them sees the other's write.
                Interlocked.Exchange(ref _stream, value);
                if (Volatile.Read(ref _isClosed)) value?.CloseHolder();
            }
        }

        /// <summary>The stream that the handler was given, or the one it was upgraded to.</summary>
        internal IOStream? Holder => Stream?.Holder;

        /// <summary>False if it was closed in the meantime.</summary>
        internal bool TryTakeDescriptor(out Descriptor fd)
        {
            fd = Descriptor.Take(ref _fd);
            return fd.IsOpen;
        }

        /// <summary>Closes the stream. True if there is none yet: then the caller closes the descriptor.</summary>
        internal bool Close(out Descriptor fd)
        {
            Interlocked.Exchange(ref _isClosed, true);
            Stream?.CloseHolder();
            return TryTakeDescriptor(out fd);
        }

        /// <summary>The handler has ended.</summary>
        internal void Finish(Task handling) => _ = server.FinishAsync(this, handling);
    }
}
