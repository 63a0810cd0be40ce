using System.Net;
using System.Net.Sockets;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;

namespace Waterspout.Connecting;

/// <summary>A listening socket on a loop, which gives every connection's descriptor to its owner.</summary>
internal sealed class Listener : IReadinessHandler
{
    // So many connections for an event, so that a flood of them does not keep the loop from its streams.
    private const int Batch = 64;

    // No descriptor is free: the connection stays in the backlog, so the event stays too, and looking again at once would spin.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly IOLoop _loop;
    private readonly Func<bool> _mayAccept;
    private readonly Action<int> _accepted;
    private readonly int _fd;
    private Registration _registration;
    private bool _isStopped;

    /// <summary>Binds the address. Nobody can connect before <see cref="Listen"/>, and nobody is let in before <see cref="Start"/>.</summary>
    internal Listener(EndPoint endPoint, bool isShared, IOLoop loop, Func<bool> mayAccept, Action<int> accepted)
    {
        ObjectDisposedException.ThrowIf(loop.IsDisposed, loop);
        _loop = loop;
        _mayAccept = mayAccept;
        _accepted = accepted;
        _socket = Bind(endPoint, isShared);
        _fd = (int)_socket.SafeHandle.DangerousGetHandle();
        FileDescriptors.SetNonBlocking(_fd);
        EndPoint = _socket.LocalEndPoint!;
    }

    internal EndPoint EndPoint { get; }

    internal void Listen(int backlog) => _socket.Listen(backlog);

    internal void Start()
    {
        if (_loop.IsCurrent) Register();
        else _loop.TryPost(new LoopCallback(_ => Register(), null));
    }

    /// <summary>Gives the address back, before <see cref="Start"/>.</summary>
    internal void Abandon() => _socket.Dispose();

    /// <summary>Accepts again after there was no room. May be called from any thread.</summary>
    internal void Resume() => _loop.TryPost(new LoopCallback(_ =>
    {
        if (!_isStopped && !_registration.IsNone) _loop.Modify(_registration, IOEvents.Read);
    }, null));

    internal async Task StopAsync()
    {
        if (_loop.IsCurrent)
        {
            Stop();
            return;
        }

        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_loop.TryPost(new LoopCallback(_ => { Stop(); stopped.SetResult(); }, null))) await stopped.Task.ConfigureAwait(false);
        else _socket.Dispose(); // the loop is gone, and its poller with it
    }

    void IReadinessHandler.HandleEvents(IOEvents events)
    {
        for (int i = 0; i < Batch && !_isStopped; i++)
        {
            if (!_mayAccept())
            {
                // Until Resume. What waits stays in the backlog, and when that is full, at the client.
                _loop.Modify(_registration, IOEvents.None);
                return;
            }

            PosixResult result = Sockets.Accept(_fd);
            if (result.IsSuccess) _accepted(result.Value);
            else if (!IsConnectionGone(result.Error))
            {
                if (!result.WouldBlock) Pause(result.Error);
                return;
            }
        }
    }

    // The connection ended before it was accepted, or the network had an error meanwhile (accept(2) passes those on).
    private static bool IsConnectionGone(Errno error) => error is Errno.ECONNABORTED or Errno.EPROTO or Errno.ENETDOWN or Errno.ENOPROTOOPT
        or Errno.EHOSTUNREACH or Errno.EOPNOTSUPP or Errno.ENETUNREACH or Errno.EPERM;

    private static Socket Bind(EndPoint endPoint, bool isShared)
    {
        bool isUnix = endPoint.AddressFamily == AddressFamily.Unix;
        Socket socket = new(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (isUnix) RemoveDeadSocket(endPoint);
            else Prepare(socket, endPoint, isShared);
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Prepare(Socket socket, EndPoint endPoint, bool isShared)
    {
        int fd = (int)socket.SafeHandle.DangerousGetHandle();
        if (endPoint.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = ((IPEndPoint)endPoint).Address.Equals(IPAddress.IPv6Any);
        // A port whose old connections are still in TIME_WAIT can be listened on again.
        _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1);
        if (isShared) _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1);
        // Accepted sockets inherit it. Small writes are gathered by turn, so Nagle's algorithm would only delay them.
        socket.NoDelay = true;
    }

    private static void RemoveDeadSocket(EndPoint endPoint)
    {
        string path = endPoint.ToString()!;
        if (!Path.Exists(path)) return;
        // Connecting to a file of another kind is refused just as that to a dead socket.
        if (!FileDescriptors.IsSocket(path))
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"'{path}' exists, and is not a socket. It is left as it is.");
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }

    private void Register()
    {
        if (!_isStopped) _registration = _loop.Register(_fd, this, IOEvents.Read);
    }

    private void Stop()
    {
        if (_isStopped) return;
        _isStopped = true;
        if (!_registration.IsNone) _loop.Unregister(_registration);
        _socket.Dispose();
    }

    private void Pause(Errno error)
    {
        Log.AcceptPaused(_loop.Logger, EndPoint, error.ToString(), (int)s_pause.TotalMilliseconds);
        _loop.Modify(_registration, IOEvents.None);
        _loop.CallLater(s_pause, Resume);
    }
}
