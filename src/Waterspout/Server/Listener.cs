using System.Net;
using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;

namespace Waterspout.Server;

/// <summary>A listening socket on a loop, which passes the descriptor of every connection to its owner.</summary>
internal sealed class Listener : IReadinessHandler
{
    // At most this many connections per event, so that a flood of them does not keep the loop from its streams.
    private const int Batch = 64;

    // When no descriptor is free, the connection and its event remain, and an immediate retry would spin.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly SafeSocketHandle _handle;
    private readonly UnixPath? _file;
    private readonly IOLoop _loop;
    private readonly Func<bool> _mayAccept;
    private readonly Action<int> _accepted;
    private readonly int _fd;
    private Registration _registration;
    private bool _isStopped;
    private bool _isReleased;

    /// <summary>
    /// Binds the address. No client can connect before <see cref="Listen"/>, and none is accepted before <see cref="Start"/>.
    /// </summary>
    internal Listener(EndPoint endPoint, bool isShared, IOLoop loop, Func<bool> mayAccept, Action<int> accepted)
    {
        ObjectDisposedException.ThrowIf(loop.IsDisposed, loop);
        _loop = loop;
        _mayAccept = mayAccept;
        _accepted = accepted;
        _handle = Bind(endPoint, isShared);
        _fd = (int)_handle.DangerousGetHandle();
        EndPoint = SocketAddresses.ToEndPoint(SocketAddresses.GetLocal(_fd))!;
        _file = UnixPath.OfBound(endPoint);
    }

    internal EndPoint EndPoint { get; }

    internal void Listen(int backlog) => Check(Sockets.Listen(_fd, backlog), EndPoint);

    internal void Start()
    {
        if (_loop.IsCurrent) Register();
        else if (!_loop.TryPost(this, static listener => listener.Register())) Release();
    }

    /// <summary>Releases the address, before <see cref="Start"/>.</summary>
    internal void Abandon() => Release();

    /// <summary>Accepts again when there is room. May be called from any thread.</summary>
    internal void Resume() => _loop.TryPost(this, static listener =>
    {
        if (!listener._isStopped && !listener._registration.IsNone) listener._loop.Modify(listener._registration, IOEvents.Read);
    });

    internal async Task StopAsync()
    {
        if (_loop.IsCurrent)
        {
            Stop();
            return;
        }

        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isPosted = _loop.TryPost((Listener: this, stopped), static call =>
        {
            call.Listener.Stop();
            call.stopped.SetResult();
        });
        if (isPosted) await stopped.Task.ConfigureAwait(false);
        else Release(); // the loop and its poller are disposed
    }

    // Otherwise the system would still accept connections that the server never would.
    void IReadinessHandler.EndWithLoop() => Stop();

    void IReadinessHandler.HandleEvents(IOEvents events)
    {
        for (int i = 0; i < Batch && !_isStopped; i++)
        {
            if (!_mayAccept())
            {
                // Until Resume. Waiting connections stay in the backlog, and when that is full, at the client.
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

    // The connection ended before it was accepted, or the network had an error meanwhile (accept(2) reports those too).
    private static bool IsConnectionGone(Errno error) => error is Errno.ECONNABORTED or Errno.EPROTO or Errno.ENETDOWN or Errno.ENOPROTOOPT
        or Errno.EHOSTUNREACH or Errno.EOPNOTSUPP or Errno.ENETUNREACH or Errno.EPERM;

    private static SafeSocketHandle Bind(EndPoint endPoint, bool isShared)
    {
        UnixPath.RemoveDead(endPoint);
        // Not by a Socket: a Socket bound to a path removes whatever is there when it is closed.
        SafeSocketHandle handle = FileDescriptors.HandOver(
            Sockets.Create(ToDomain(endPoint)), fd => new SafeSocketHandle(fd, ownsHandle: true));
        try
        {
            int fd = (int)handle.DangerousGetHandle();
            if (endPoint is IPEndPoint ip) Prepare(fd, ip, isShared);
            Check(Sockets.Bind(fd, endPoint.Serialize()), endPoint);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static int ToDomain(EndPoint endPoint) => endPoint.AddressFamily switch
    {
        AddressFamily.InterNetwork => LibC.AF_INET,
        AddressFamily.InterNetworkV6 => LibC.AF_INET6,
        AddressFamily.Unix => LibC.AF_UNIX,
        _ => throw new ArgumentException($"{endPoint} is neither an IP address nor a path.", nameof(endPoint)),
    };

    private static void Prepare(int fd, IPEndPoint endPoint, bool isShared)
    {
        if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
            _ = Sockets.SetOption(fd, LibC.IPPROTO_IPV6, LibC.IPV6_V6ONLY, endPoint.Address.Equals(IPAddress.IPv6Any) ? 0 : 1);
        // A port whose old connections are still in TIME_WAIT can be listened on again.
        _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1);
        if (isShared) _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1);
        // Accepted sockets inherit it. Small writes are gathered by turn, so Nagle's algorithm would only delay them.
        _ = Sockets.SetOption(fd, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, 1);
    }

    private static void Check(PosixResult result, EndPoint endPoint)
    {
        if (result.IsSuccess) return;
        SocketException error = PosixResult.ToSocketException(result.Error);
        // ENOENT is about the path's folder. To clients it would mean that there is no listener.
        if (result.Error == Errno.ENOENT) error = new SocketException((int)SocketError.AddressNotAvailable, error.Message);
        throw AddressError.Of(error, endPoint);
    }

    // Only once: after the socket is closed, the inode number of its file may be reused. A stop and the loop's end may call this at the
    // same time.
    private void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, true)) return;
        _file?.Remove();
        _handle.Dispose();
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
        Release();
    }

    private void Pause(Errno error)
    {
        Log.AcceptPaused(_loop.Logger, EndPoint, error.ToString(), (int)s_pause.TotalMilliseconds);
        _loop.Modify(_registration, IOEvents.None);
        _loop.CallLater(s_pause, Resume);
    }
}
