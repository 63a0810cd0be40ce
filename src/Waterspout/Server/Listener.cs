using System.Net;
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

    private readonly ListeningSocket _socket;
    private readonly IOLoop _loop;
    private readonly Func<bool> _mayAccept;
    private readonly Action<Descriptor> _accepted;
    private Registration _registration;
    private bool _isStopped;

    /// <summary>Over a socket that it owns from now on. No connection is accepted before <see cref="Start"/>.</summary>
    internal Listener(ListeningSocket socket, IOLoop loop, Func<bool> mayAccept, Action<Descriptor> accepted)
    {
        _socket = socket;
        _loop = loop;
        _mayAccept = mayAccept;
        _accepted = accepted;
    }

    internal EndPoint EndPoint => _socket.EndPoint;

    /// <summary>Called on the loop when it has stopped, also by the loop's end.</summary>
    internal Action? Stopped { get; init; }

    internal void Listen(int backlog) => _socket.Listen(backlog);

    internal void Start()
    {
        if (_loop.IsCurrent) Register();
        else if (!_loop.TryPost(this, static listener => listener.Register())) _socket.Release();
    }

    /// <summary>Releases the address, before <see cref="Start"/>.</summary>
    internal void Abandon() => _socket.Abandon();

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
        else _socket.Release(); // the loop and its poller are disposed
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

            PosixResult result = Sockets.Accept(_socket.Descriptor);
            if (result.IsSuccess) _accepted(result.Descriptor);
            else if (!AcceptErrors.IsOfOneConnection(result.Error))
            {
                if (!result.WouldBlock) Pause(result.Error);
                return;
            }
        }
    }

    private void Register()
    {
        if (!_isStopped) _registration = _loop.Register(_socket.Descriptor, this, IOEvents.Read);
    }

    private void Stop()
    {
        if (_isStopped) return;
        _isStopped = true;
        if (!_registration.IsNone) _loop.Unregister(_registration);
        _socket.Release();
        Stopped?.Invoke();
    }

    private void Pause(Errno error)
    {
        Log.AcceptPaused(_loop.Logger, EndPoint, error.ToString(), (int)s_pause.TotalMilliseconds);
        _loop.Modify(_registration, IOEvents.None);
        _loop.CallLater(s_pause, Resume);
    }
}
