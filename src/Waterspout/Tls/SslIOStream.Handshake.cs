using System.Net.Security;
using System.Security.Authentication;
using Waterspout.Diagnostics;
using Waterspout.Tls;

namespace Waterspout;

public partial class SslIOStream
{
    private Handshake? _handshake; // null once it is over
    private volatile ITlsEngine? _engine;

    private protected override bool WillConnect => _handshake is not null || _transport.IsConnectBegun;

    /// <summary>Waits until the handshake is done. May be called from any thread.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait, not the handshake.</param>
    /// <remarks>Completion: at once if it is already done. Any number may wait. Difference from Tornado: it allows one waiter.</remarks>
    /// <exception cref="StreamClosedException">
    /// The handshake failed, with the cause as inner exception; or the stream was closed.
    /// </exception>
    public ValueTask WaitForHandshakeAsync(CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent)
            return OffLoop((Stream: this, cancellationToken), static call => call.Stream.WaitForHandshakeAsync(call.cancellationToken));
        if (IsEstablished && !IsClosed) return default;
        return IsClosed ? ValueTask.FromException(ClosedException()) : new ValueTask(WhenConnectedAsync(cancellationToken));
    }

    /// <summary>Waits for the handshake; a cancellation closes the stream.</summary>
    internal async ValueTask CompleteHandshakeAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            SslIOStream stream = (SslIOStream)state!;
            stream.Loop.TryInvoke((stream, token), static call =>
            {
                if (!call.stream.IsEstablished) call.stream.CloseNow(CloseReason.Local, new OperationCanceledException(call.token));
            });
        }, this);
        try
        {
            await WaitForHandshakeAsync(CancellationToken.None);
        }
        catch (StreamClosedException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Waits for the handshake. False if it failed.</summary>
    internal async Task<bool> TryHandshakeAsync()
    {
        try
        {
            await WaitForHandshakeAsync();
            return true;
        }
        catch (StreamClosedException)
        {
            return false; // logged where it happened
        }
    }

    private protected override void NoteClose(CloseReason reason, Exception? error, bool isKnown)
    {
        if (IsConnecting && _engine is not null) Loop.Counters.HandshakesFailed++;
        base.NoteClose(reason, error, isKnown);
    }

    // On a server, errors of SslStream and failed handshakes are reported nowhere else. A handshake that just ends, like that of a port
    // scan, is as ordinary as anywhere.
    private protected override bool IsPeersDoing(CloseReason reason, Exception error) => IsEstablished
        ? base.IsPeersDoing(reason, error) || (reason == CloseReason.Error && error is IOException)
        : reason == CloseReason.Error || (reason == CloseReason.Timeout && _engine is not null);

    private void StartHandshake(string? serverHostname)
    {
        if (IsClosed || _engine is not null) return;
        _engine = CreateEngine(_transport, CreateAuthentication(serverHostname));
        _handshake = new Handshake(this, _transport, _engine, _server);
        _handshake.Begin(Options.HandshakeTimeout);
    }

    private protected virtual ITlsEngine CreateEngine(TlsTransport transport, Func<SslStream, Task> authenticate) =>
        new SslStreamEngine(this, transport, authenticate);

    private Func<SslStream, Task> CreateAuthentication(string? serverHostname)
    {
        if (_server is { } server) return ssl => server.Authenticate(ssl, this);
        SslClientAuthenticationOptions client = TlsOptions.ForServer(_clientOptions, serverHostname);
        return ssl => ssl.AuthenticateAsClientAsync(client);
    }

    /// <summary>The handshake is over. Called on the loop; ignored if the stream was closed before.</summary>
    internal void OnHandshakeEnded(Exception? error)
    {
        if (IsClosed) return;
        if (error is null) CompleteHandshake(_engine!);
        else FailHandshake(error);
    }

    internal void OnHandshakeTimeout(TimeSpan limit)
    {
        if (IsConnecting) CloseNow(CloseReason.Timeout, new TimeoutException($"The handshake took longer than {limit}."));
    }

    private void CompleteHandshake(ITlsEngine engine)
    {
        _handshake = null;
        _mayHaveTickets = _server is null && engine.Protocol == SslProtocols.Tls13;
        Loop.Counters.HandshakesDone++;
        Log.HandshakeDone(Loop.Logger, this, engine.Protocol, engine.CipherSuite);
        OnConnected();
        // Whatever arrived after the handshake is already in SslStream, and no event will report it.
        NotifyReady(_transport.IsEofAnnounced ? IOEvents.Read | IOEvents.ReadClosed : IOEvents.Read);
        // The transport may have failed meanwhile. Unlike a failed handshake, a completed one still has the data that arrived after it.
        if (_transport.IsClosed) OnTransportClosed();
    }

    private void FailHandshake(Exception error)
    {
        // The alert with the cause has been written; the peer should get it before the close.
        if (!_transport.IsClosed)
        {
            // Another thread has posted it, perhaps after this call.
            _transport.TakeFromElsewhere();
            _transport.FlushWrites();
        }

        bool isEnd = error is IOException && _transport.IsEofAnnounced && error is not StreamClosedException;
        if (_transport.Error is { } cause && error is not AuthenticationException) CloseByError(cause);
        else CloseNow(isEnd ? CloseReason.Truncated : CloseReason.Error, error as AuthenticationException
            ?? new AuthenticationException($"The TLS handshake failed: {error.Message}", error));
    }

    private void ReleaseEngine()
    {
        // Not while the handshake may be computing on its worker.
        if (_handshake is { } handshake) handshake.Drop();
        else _engine?.Dispose();
    }
}
