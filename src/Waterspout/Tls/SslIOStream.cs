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
/// <para>The handshake begins with the stream, or as soon as its socket is connected, and runs off the loop's thread. Reads and writes may be
/// begun before it is done. By default nothing is trusted that the platform does not trust, and the name in the certificate must be the
/// one that was asked for; sessions are resumed.</para>
/// <para>The end: close_notify is sent by <see cref="BaseIOStream.CloseAsync"/> and <see cref="BaseIOStream.CompleteWritesAsync"/>, which wait until the system
/// has it; and, behind the peer's own, by every close without an error. A peer that ends the
/// connection without it closes the stream with <see cref="CloseReason.Truncated"/>, since somebody on the way may have cut it off.</para>
/// <para>A handshake that fails closes the stream; <see cref="BaseIOStream.Error"/> is the <see cref="AuthenticationException"/>, or what else it was.</para>
/// </remarks>
public partial class SslIOStream : IOStream
{
    private readonly TlsTransport _transport;
    private readonly SslClientAuthenticationOptions? _clientOptions;
    private readonly SslServerAuthenticationOptions? _serverOptions;
    private Task? _ending; // of this side
    private bool _mayHaveTickets; // unread, and in front of a server's first data
    private bool _isCutInRecord; // no peer ends so, whatever it leaves out

    /// <summary>Makes the client's side of a TLS connection.</summary>
    /// <param name="socket">Connected, or to be connected by <see cref="ConnectAsync(EndPoint, string?, CancellationToken)"/>. Belongs to the stream from now on.</param>
    /// <param name="sslOptions">
    /// The platform's options; its defaults when null. On a connected socket <see cref="SslClientAuthenticationOptions.TargetHost"/> has to name the server.
    /// </param>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public SslIOStream(Socket socket, SslClientAuthenticationOptions? sslOptions = null, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(sslOptions, null, new TlsTransport(socket, options ?? IOStreamOptions.Default, loop), options)
    {
    }

    /// <summary>Makes the server's side of a TLS connection.</summary>
    /// <param name="socket">Accepted. Belongs to the stream from now on.</param>
    /// <param name="sslOptions">The platform's options: the certificate, or a callback that chooses one by the name the client asks for.</param>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public SslIOStream(Socket socket, SslServerAuthenticationOptions sslOptions, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(null, NotNull(sslOptions), new TlsTransport(socket, options ?? IOStreamOptions.Default, loop), options)
    {
    }

    // The transport comes behind what may be refused, since it takes the socket.
    internal SslIOStream(SslClientAuthenticationOptions? clientOptions, SslServerAuthenticationOptions? serverOptions, TlsTransport transport, IOStreamOptions? options)
        : base(options, transport.Loop)
    {
        _transport = transport;
        _clientOptions = clientOptions;
        _serverOptions = serverOptions;
        transport.SetOwner(this);
        RunOnLoop(() =>
        {
            EnsureRegistered();
            if (transport.IsConnected) StartHandshake(serverHostname: null);
        });
    }

    private bool IsEstablished => !IsConnecting;

    /// <summary>The peer's certificate; null before the handshake is done, and for a client that has sent none.</summary>
    public X509Certificate2? RemoteCertificate => IsEstablished ? _engine!.RemoteCertificate : null;

    /// <summary>The version that was negotiated; <see cref="SslProtocols.None"/> before the handshake is done.</summary>
    public SslProtocols SslProtocol => IsEstablished ? _engine!.Protocol : SslProtocols.None;

    /// <summary>The cipher suite that was negotiated.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not done.</exception>
    public TlsCipherSuite CipherSuite => IsEstablished ? _engine!.CipherSuite : throw new InvalidOperationException("The handshake is not done.");

    /// <summary>The protocol that was negotiated by ALPN; empty when none was, or the handshake is not done.</summary>
    public SslApplicationProtocol ApplicationProtocol => IsEstablished ? _engine!.ApplicationProtocol : default;

    /// <summary>The name of the server that the client asked for (SNI); empty when there is none, or the handshake is not done.</summary>
    public string TargetHostName => IsEstablished ? _engine!.TargetHostName : "";

    /// <inheritdoc/>
    protected override int Fileno => _transport.Descriptor;

    /// <inheritdoc/>
    public override void SetNoDelay(bool value) => _transport.SetNoDelay(value);

    internal void OnPlaintextReadable() => HandleEvents(IOEvents.Read);

    internal void OnTransportWritable() => HandleEvents(IOEvents.Write);

    /// <summary>The peer has ended the transport; records may be in front of that.</summary>
    internal void OnTransportEof()
    {
        if (IsEstablished) HandleEvents(IOEvents.ReadClosed);
        else _handshake?.OnPeerEnded();
    }

    internal void OnTransportClosed()
    {
        if (IsClosed) return;
        if (_transport.Error is { } error) OnTransportFailed(error);
        else if (_transport.CloseReason != CloseReason.EndOfStream) CloseNow(CloseReason.Local);
        else if (IsConnecting) CloseNow(CloseReason.Truncated);
        // Not here: this may be inside a read of SslStream's, which takes no other one meanwhile.
        else Loop.TryPost(this, static stream => stream.HandleEvents(IOEvents.ReadClosed));
    }

    // What has arrived in front of the error is with the transport, to the last byte, and is decrypted first. That includes the end of a handshake
    // that is being computed: a client that sends and leaves at once meets the server's session tickets, and they fail.
    private void OnTransportFailed(Exception error)
    {
        if (Loop.IsDisposed || (IsConnecting && _engine is null))
        {
            CloseByError(error);
            return;
        }

        // The end of the loop closes the transport no more, and has to know this stream itself.
        StayUnregistered();
        if (IsConnecting) return;
        // Not here: this may be inside SslStream, which is asked by one at a time.
        if (!Loop.TryPost(this, static stream => stream.ReceiveWhatIsLeft())) CloseByError(error);
    }

    private void ReceiveWhatIsLeft()
    {
        if (IsClosed) return;
        Fail(_transport.Error!);
        HandleEvents(IOEvents.ReadClosed);
    }

    private protected override bool MoreWillCome => _transport.IsFailing || _engine is { IsDeferred: true };

    private protected override bool IsEofInData => true;

    private protected override IOStream Connection => (IOStream?)_transport ?? this;

    private protected override Registration RegisterDescriptor() => default;

    // The transport is what the loop knows, and holds this stream.
    internal override void UpdateRoot() => _transport.UpdateRoot();

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => DescriptorTraits.None;

    internal override void AssumeWritable()
    {
        base.AssumeWritable();
        _transport.AssumeWritable();
    }

    private protected override bool WritesMemory => true;

    // What is encrypted counts as unsent until the transport has sent all of it; what a peer can decrypt of it is not lost.
    private protected override long Lost => Unsent - (_engine?.GetDelivered(_transport.Dropped) ?? 0);

    // Whether the peer has said in TLS that it ends is behind the data.
    private protected override CloseReason ReasonOfKnownEnd => CloseReason.None;

    private protected override CloseReason EofReason =>
        _isCutInRecord || (_engine is { IsTruncated: true } && !Options.AllowTruncation) ? CloseReason.Truncated : CloseReason.EndOfStream;

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        // Not the way that the stream itself reads, but a subclass may.
        byte[] copy = new byte[buffer.Length];
        int? count = ReceiveFromFd(copy);
        copy.AsSpan(0, count ?? 0).CopyTo(buffer);
        return count;
    }

    private protected override int? ReceiveFromFd(Memory<byte> buffer)
    {
        try
        {
            int? count = _engine!.Read(buffer);
            if (count > 0) _mayHaveTickets = false;
            return count;
        }
        catch (Exception) when (_transport.Error is { } cause)
        {
            // What SslStream says of it is only that reading failed.
            throw cause;
        }
        catch (IOException) when (_engine!.IsTruncated)
        {
            // The end came in the middle of a record.
            _isCutInRecord = true;
            return 0;
        }
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) => _engine!.Write([data.ToArray()]);

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

    private protected override Task WriteEndSent => _ending ?? Task.CompletedTask;

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        // Null where the constructor failed, and only the finalizer comes here.
        if (_transport is null) return;
        // The peer said that it has ended, so it is told the same, as far as the kernel takes it now. Not where something is missing in front of it.
        if (HasPeerEnded && Error is null && IsFlushed && IsEstablished && !_transport.IsClosed) TryShutdown();
        // Nobody has asked for them, so they are no reason to reset the connection.
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
            // Nothing can be said in the middle of a renegotiation. The descriptor is closed all the same.
        }
    }

    private static SslServerAuthenticationOptions NotNull(SslServerAuthenticationOptions sslOptions)
    {
        ArgumentNullException.ThrowIfNull(sslOptions);
        return sslOptions;
    }
}
