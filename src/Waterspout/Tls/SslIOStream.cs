using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Waterspout.Diagnostics;
using Waterspout.Loop;
using Waterspout.Tls;

namespace Waterspout;

/// <summary>A stream over TLS.</summary>
/// <remarks>
/// <para>The handshake begins with the stream, or as soon as its socket is connected, and runs off the loop's thread. Reads and writes may
/// be started before it is done. By default only what the platform trusts is trusted, and the certificate must contain the requested name;
/// sessions are resumed.</para>
/// <para>EOF: close_notify is sent by <see cref="BaseIOStream.CloseAsync"/> and <see cref="BaseIOStream.CompleteWritesAsync"/>, which wait
/// until the system has accepted it; and, once the peer has sent its own, by every close without an error. If the peer ends the connection
/// without it, the stream closes with <see cref="CloseReason.Truncated"/>, since the connection may have been cut off on the way.</para>
/// <para>A failed handshake closes the stream; <see cref="BaseIOStream.Error"/> is the <see cref="AuthenticationException"/>, or another
/// cause.</para>
/// <para>Threads, completion and cancellation are those of <see cref="BaseIOStream"/>.</para>
/// </remarks>
public partial class SslIOStream : IOStream
{
    private readonly TlsTransport _transport;
    private readonly SslClientAuthenticationOptions? _clientOptions;
    private readonly ServerAuthentication? _server;
    private Task? _ending; // of this side: close_notify and FIN
    private bool _mayHaveTickets; // unread, before a server's first data
    private bool _isCutInRecord; // never regular, even if close_notify may be missing

    /// <summary>Creates the client side of a TLS connection.</summary>
    /// <param name="socket">
    /// Connected, or to be connected by <see cref="ConnectAsync(EndPoint, string?, CancellationToken)"/>. The stream owns it from now on.
    /// </param>
    /// <param name="sslOptions">
    /// The platform's options; null for its defaults. On a connected socket <see cref="SslClientAuthenticationOptions.TargetHost"/> has to
    /// name the server.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public SslIOStream(
        Socket socket, SslClientAuthenticationOptions? sslOptions = null, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(sslOptions, null, new TlsTransport(socket, options ?? IOStreamOptions.Default, loop), options)
    {
    }

    /// <summary>Creates the server side of a TLS connection.</summary>
    /// <param name="socket">Accepted. The stream owns it from now on.</param>
    /// <param name="sslOptions">
    /// The platform's options: the certificate, or a callback that chooses one by the name that the client asks for.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public SslIOStream(Socket socket, SslServerAuthenticationOptions sslOptions, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(null, ServerAuthentication.With(NotNull(sslOptions)), new TlsTransport(socket, options ?? IOStreamOptions.Default, loop), options)
    {
    }

    // The transport is created after all checks that may fail, since it takes the socket.
    internal SslIOStream(
        SslClientAuthenticationOptions? clientOptions,
        ServerAuthentication? server,
        TlsTransport transport,
        IOStreamOptions? options)
        : base(options, transport.Loop)
    {
        _transport = transport;
        _clientOptions = clientOptions;
        _server = server;
        transport.SetOwner(this);
        Loop.TryInvoke(this, static stream =>
        {
            stream.EnsureRegistered();
            if (stream._transport.IsConnected) stream.StartHandshake(serverHostname: null);
        });
    }

    private bool IsEstablished => !IsConnecting;

    /// <summary>
    /// The peer's certificate; null before the handshake is done, and for a client that has sent none. May be read from any thread.
    /// </summary>
    public X509Certificate2? RemoteCertificate => IsEstablished ? _engine!.RemoteCertificate : null;

    /// <summary>
    /// The negotiated version; <see cref="SslProtocols.None"/> before the handshake is done. May be read from any thread.
    /// </summary>
    public SslProtocols SslProtocol => IsEstablished ? _engine!.Protocol : SslProtocols.None;

    /// <summary>The negotiated cipher suite. May be read from any thread.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not done.</exception>
    public TlsCipherSuite CipherSuite => IsEstablished
        ? _engine!.CipherSuite
        : throw new InvalidOperationException("The handshake is not done.");

    /// <summary>
    /// The protocol negotiated by ALPN; empty if there is none, or the handshake is not done. May be read from any thread.
    /// </summary>
    public SslApplicationProtocol ApplicationProtocol => IsEstablished ? _engine!.ApplicationProtocol : default;

    /// <summary>
    /// The server name that the client asked for (SNI); empty if there is none, or the handshake is not done. May be read from any thread.
    /// </summary>
    public string TargetHostName => IsEstablished ? _engine!.TargetHostName : "";

    /// <inheritdoc/>
    protected override int Fileno => _transport.Descriptor;

    /// <inheritdoc/>
    public override void SetNoDelay(bool value) => _transport.SetNoDelay(value);

    internal void OnPlaintextReadable() => NotifyReady(IOEvents.Read);

    internal void OnTransportWritable() => NotifyReady(IOEvents.Write);

    /// <summary>The peer has ended the transport; there may be records before its EOF.</summary>
    internal void OnTransportEof()
    {
        if (IsEstablished) NotifyReady(IOEvents.ReadClosed);
        else _handshake?.OnPeerEnded();
    }

    internal void OnTransportClosed()
    {
        if (IsClosed) return;
        if (_transport.Error is { } error) OnTransportFailed(error);
        else if (_transport.CloseReason != CloseReason.EndOfStream) CloseNow(CloseReason.Local);
        else if (IsConnecting) CloseNow(CloseReason.Truncated);
        // Not here: this may be inside one of SslStream's reads, which does not allow a second one.
        else NotifyReadyLater(IOEvents.ReadClosed);
    }

    // The transport has everything that arrived before the error, to the last byte, and it is decrypted first. That includes the completion
    // of a handshake that is being computed: if a client sends and leaves at once, the server's session tickets fail to be sent.
    private void OnTransportFailed(Exception error)
    {
        if (Loop.IsDisposed || (IsConnecting && _engine is null))
        {
            CloseByError(error);
            return;
        }

        // The end of the loop no longer closes the transport, so it has to know this stream itself.
        StayUnregistered();
        if (IsConnecting) return;
        // Not here: this may be inside SslStream, which allows one call at a time.
        if (!Loop.TryPost(this, static stream => stream.ReceiveWhatIsLeft())) CloseByError(error);
    }

    private void ReceiveWhatIsLeft()
    {
        if (IsClosed) return;
        Fail(_transport.Error!);
        NotifyReady(IOEvents.ReadClosed);
    }

    /// <inheritdoc/>
    protected override bool MoreWillCome => _transport.IsFailing || _engine is { IsDeferred: true };

    private protected override IOStream Connection => (IOStream?)_transport ?? this;

    private protected override Registration RegisterDescriptor() => default;

    // The loop knows the transport, which keeps this stream alive.
    internal override void UpdateRoot() => _transport.UpdateRoot();

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => DescriptorTraits.EofInData;

    internal override void PrepareLastSend()
    {
        base.PrepareLastSend();
        _transport.PrepareLastSend();
    }

    // Encrypted data counts as unsent until the transport has sent all of it; what a peer can decrypt of it is not lost.
    private protected override long Lost => Unsent - (_engine?.GetDelivered(_transport.Dropped) ?? 0);

    /// <inheritdoc/>
    protected override CloseReason EofReason =>
        _isCutInRecord || (_engine is { IsTruncated: true } && !Options.AllowTruncation) ? CloseReason.Truncated : CloseReason.EndOfStream;

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        // The stream itself does not read this way, but a subclass may.
        byte[] copy = new byte[buffer.Length];
        int? count = ReadFromFd(copy.AsMemory());
        copy.AsSpan(0, count ?? 0).CopyTo(buffer);
        return count;
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Memory<byte> buffer)
    {
        try
        {
            int? count = _engine!.Read(buffer);
            if (count > 0) _mayHaveTickets = false;
            return count;
        }
        catch (Exception) when (_transport.Error is { } cause)
        {
            // SslStream itself would only report that reading failed.
            throw cause;
        }
        catch (IOException) when (_engine!.IsTruncated)
        {
            // EOF came in the middle of a record.
            _isCutInRecord = true;
            return 0;
        }
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) => WriteToFd(data.ToArray().AsMemory());

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlyMemory<byte> data) => _engine!.Write([data]);

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => _engine!.Write(pieces);

    /// <inheritdoc/>
    protected override Exception? GetFdError() => null;

    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        if (_ending is not null) return true;
        if (IsConnecting || _transport.IsClosed) return false;
        _engine!.Shutdown();
        _ending = _transport.CompleteWritesAsync().AsTask();
        _ending.IgnoreFailure();
        return true;
    }

    /// <inheritdoc/>
    protected override Task WriteEndSent => _ending ?? Task.CompletedTask;

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        // Null if the constructor failed, and only the finalizer calls this.
        if (_transport is null) return;
        // The peer has sent close_notify, so it gets ours, if the kernel accepts it now. It is not sent if data before it is missing.
        if (HasPeerEnded && Error is null && IsFlushed && IsEstablished && !_transport.IsClosed) TryShutdown();
        // Session tickets were not requested, so they should not cause a reset.
        if (_mayHaveTickets && !_transport.IsClosed) _transport.DiscardReceived();
        _transport.Close();
        ReleaseEngine();
    }

    private void TryShutdown()
    {
        try
        {
            _engine!.Shutdown();
        }
        catch (Exception error) when (error is IOException or AuthenticationException or InvalidOperationException)
        {
            // Nothing can be sent in the middle of a renegotiation. The descriptor is closed all the same.
        }
    }

    private static SslServerAuthenticationOptions NotNull(SslServerAuthenticationOptions sslOptions)
    {
        ArgumentNullException.ThrowIfNull(sslOptions);
        return sslOptions;
    }
}
