using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tls;

/// <summary>What an SslIOStream needs from an implementation of TLS. It works on the transport it was created with.</summary>
/// <remarks>
/// It is called like a non-blocking descriptor, on the loop unless stated otherwise, so that the stream works like any other. There is one
/// implementation, over SslStream; one over the lower-level types of a later .NET would be another.
/// </remarks>
internal interface ITlsEngine : IDisposable
{
    SslProtocols Protocol { get; }

    TlsCipherSuite CipherSuite { get; }

    SslApplicationProtocol ApplicationProtocol { get; }

    string TargetHostName { get; }

    X509Certificate2? RemoteCertificate { get; }

    /// <summary>The poller has reported that the peer has ended its side of the connection. There may be records before that.</summary>
    bool IsEndAnnounced { get; }

    /// <summary>The peer ended the connection without close_notify.</summary>
    bool IsTruncated { get; }

    /// <summary>The error of the connection itself: why nothing more can be received, or sent.</summary>
    Exception? TransportError { get; }

    /// <summary>Everything that was encrypted has been sent.</summary>
    bool IsFlushed { get; }

    /// <summary>Received data is decrypted in the next turn of the loop. The stream is notified then.</summary>
    bool IsDeferred { get; }

    /// <summary>What was received last for the handshake is encrypted, as everything after the hellos is in TLS 1.3.</summary>
    bool IsHandshakeEncrypted { get; }

    /// <summary>Remembers what the poller has reported, before the stream acts on it. Sends what TLS has of its own.</summary>
    void OnEvents(IOEvents events);

    /// <summary>Receives for the handshake, if it waits for that.</summary>
    void ContinueHandshake();

    /// <summary>Takes what had arrived before TLS began.</summary>
    void Keep(ReadOnlySpan<byte> received);

    /// <summary>Waits, on the loop, until the peer has sent something. A server has nothing to compute before that.</summary>
    ValueTask WaitForPeerAsync();

    /// <summary>Receives, on the loop, the first bytes of a peer that has sent something.</summary>
    ValueTask ReceiveFirstAsync();

    /// <summary>
    /// Does the handshake, using <paramref name="handshake"/> for all receives except the first bytes. Not on the loop's thread: its
    /// cryptography takes milliseconds.
    /// </summary>
    Task HandshakeAsync(Handshake handshake);

    /// <summary>Receives ciphertext for the handshake, on the loop. 0 at EOF.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Decrypts what there is. Null if more ciphertext is needed. 0 at EOF.</summary>
    int? Read(Memory<byte> buffer);

    /// <summary>Encrypts and sends. Null if what is encrypted must be sent first.</summary>
    /// <remarks>
    /// Only what has been sent in whole records counts as written. After less than all of it the next call passes the rest at the front,
    /// and perhaps more after it.
    /// </remarks>
    int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>Sends what the handshake has written, at the end of the turn.</summary>
    void FlushLater();

    /// <summary>Sends what is encrypted, as far as the kernel accepts it.</summary>
    void Flush();

    /// <summary>Sends close_notify: nothing more will be written.</summary>
    void Shutdown();
}
