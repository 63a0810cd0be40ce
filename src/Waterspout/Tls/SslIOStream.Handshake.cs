using System.Net.Security;
using System.Security.Authentication;
using Waterspout.Diagnostics;
using Waterspout.Errors;
using Waterspout.Tls;

namespace Waterspout;

public partial class SslIOStream
{
    private readonly byte[] _received = []; // before the handshake, as its beginning
    private IOEvents _early; // reported before the handshake
    private Handshake? _handshake; // null once it is over
    private volatile ITlsEngine? _engine;

    /// <inheritdoc/>
    protected override bool HasHandshake => true;

    /// <summary>Waits until the handshake is done. May be called from any thread.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait, not the handshake.</param>
    /// <remarks>Completion: at once if it is already done. Any number may wait. Difference from Tornado: it allows one waiter.</remarks>
    /// <exception cref="StreamClosedException">
    /// The handshake failed, with the cause as inner exception; or the stream was closed.
    /// </exception>
    public ValueTask WaitForHandshakeAsync(CancellationToken cancellationToken = default) => WaitForConnectionAsync(cancellationToken);

    /// <summary>Waits for the handshake; a cancellation closes the stream.</summary>
    internal async ValueTask CompleteHandshakeAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            SslIOStream stream = (SslIOStream)state!;
            stream.Loop.TryInvoke((stream, token), static call =>
            {
                if (!call.stream.IsEstablished) call.stream.CloseFor(CloseReason.Local, new OperationCanceledException(call.token));
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

    // On a server, errors of SslStream and failed handshakes are reported nowhere else. A handshake that just ends, like that of a port
    // scan, is as ordinary as anywhere.
    /// <inheritdoc/>
    protected override bool IsCausedByPeer(CloseReason reason, Exception error) => IsEstablished
        ? base.IsCausedByPeer(reason, error) || (reason == CloseReason.Error && error is IOException)
        : reason == CloseReason.Error || (reason == CloseReason.Timeout && _engine is not null);

    /// <inheritdoc/>
    protected override void BeginHandshake(string? serverHostname)
    {
        _engine = CreateEngine(CreateAuthentication(serverHostname));
        _engine.Keep(_received);
        _engine.OnEvents(_early);
        Loop.Counters.HandshakesBegun++;
        _handshake = new Handshake(this, _engine, _server);
        _handshake.Begin(Options.HandshakeTimeout);
    }

    private protected virtual ITlsEngine CreateEngine(Func<SslStream, Task> authenticate) => new SslStreamEngine(this, authenticate);

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
        else FailHandshake(_engine!, error);
    }

    internal void OnHandshakeTimeout(TimeSpan limit)
    {
        if (!IsConnecting) return;
        Loop.Counters.Timeouts[(int)TimedOperation.Handshake]++;
        CloseFor(CloseReason.Timeout, new TimeoutException($"The handshake took longer than {limit}."));
    }

    private void CompleteHandshake(ITlsEngine engine)
    {
        _handshake = null;
        _mayHaveTickets = _server is null && engine.Protocol == SslProtocols.Tls13;
        Loop.Counters.HandshakesDone++;
        Log.HandshakeDone(Loop.Logger, this, engine.Protocol, engine.CipherSuite);
        CompleteConnecting();
        // Whatever arrived after the handshake is already in SslStream, and no event will report it. A connection that has failed meanwhile
        // still has that data.
        IOEvents events = IOEvents.Read;
        if (engine.IsEndAnnounced) events |= IOEvents.ReadClosed;
        if (engine.TransportError is not null) events |= IOEvents.Error;
        NotifyReady(events);
    }

    private void FailHandshake(ITlsEngine engine, Exception error)
    {
        // The alert with the cause has been written; the peer should get it before the close. Another thread has written it, perhaps after
        // the last call of the loop.
        engine.Flush();
        bool isEnd = error is IOException && engine is { IsEndAnnounced: true, TransportError: null };
        if (engine.TransportError is { } cause && error is not AuthenticationException) CloseFor(ErrorReasons.Of(cause), cause);
        else CloseFor(isEnd ? CloseReason.Truncated : CloseReason.Error, error as AuthenticationException
            ?? new AuthenticationException($"The TLS handshake failed: {error.Message}", error));
    }

    private void ReleaseEngine()
    {
        // Not while the handshake may be computing on its worker.
        if (_handshake is { } handshake)
        {
            Loop.Counters.HandshakeFailures[(int)CloseReason]++;
            handshake.Drop();
        }
        else
        {
            _engine?.Dispose();
        }
    }
}
