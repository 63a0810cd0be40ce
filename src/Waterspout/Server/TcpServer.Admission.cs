using Waterspout.Diagnostics;
using Waterspout.Interop;

namespace Waterspout;

// Runs on the loop that accepts, before anything but the system's own socket exists for the connection.
public partial class TcpServer
{
    /// <summary>Null if the connection is refused. Then its descriptor is closed.</summary>
    private Connection? Admit(Descriptor fd)
    {
        if (Options is { OnConnection: null, OnConnectionEnd: null }) return new Connection(this, fd);
        ConnectionRequest request = new(
            SocketAddresses.ToEndPoint(SocketAddresses.GetPeer(fd, wasConnected: true)),
            SocketAddresses.ToEndPoint(SocketAddresses.GetLocal(fd)),
            ConnectionCount);
        if (IsAdmitted(request)) return new WatchedConnection(this, fd, request);
        // Leaves nothing in the system, where an orderly close keeps the port for a minute.
        Sockets.Reset(fd);
        IOLoop.Current.Counters.Refused++;
        Log.Refused(_logger, request.RemoteEndPoint);
        return null;
    }

    private bool IsAdmitted(ConnectionRequest request)
    {
        try
        {
            return Options.OnConnection?.Invoke(request) ?? true;
        }
        catch (Exception error)
        {
            ReportHook(nameof(TcpServerOptions.OnConnection), request, error);
            return false;
        }
    }

    private void NotifyEnd(ConnectionRequest request)
    {
        try
        {
            Options.OnConnectionEnd?.Invoke(request);
        }
        catch (Exception error)
        {
            ReportHook(nameof(TcpServerOptions.OnConnectionEnd), request, error);
        }
    }

    private void ReportHook(string hook, ConnectionRequest request, Exception error)
    {
        Log.HookFailed(_logger, error, hook, request.RemoteEndPoint);
        _loops[0].ReportUnhandled(error);
    }

    /// <summary>A connection whose end is reported.</summary>
    private sealed class WatchedConnection(TcpServer server, Descriptor fd, ConnectionRequest request) : Connection(server, fd)
    {
        internal ConnectionRequest Request => request;
    }
}
