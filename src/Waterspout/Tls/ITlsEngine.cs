using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tls;

/// <summary>What an SslIOStream needs from an implementation of TLS. It works on the transport it was created with.</summary>
/// <remarks>
/// It is called like a non-blocking descriptor, so that the stream above works like any other. There is one implementation, over SslStream;
/// one over the lower-level types of a later .NET would be another.
/// </remarks>
internal interface ITlsEngine : IDisposable
{
    SslProtocols Protocol { get; }

    TlsCipherSuite CipherSuite { get; }

    SslApplicationProtocol ApplicationProtocol { get; }

    string TargetHostName { get; }

    X509Certificate2? RemoteCertificate { get; }

    /// <summary>The peer ended the transport without close_notify.</summary>
    bool IsTruncated { get; }

    /// <summary>Received data is decrypted in the next turn of the loop. The stream is notified then.</summary>
    bool IsDeferred { get; }

    /// <summary>What was received last for the handshake is encrypted, as everything after the hellos is in TLS 1.3.</summary>
    bool IsHandshakeEncrypted { get; }

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

    /// <summary>Decrypts what there is. Null if more ciphertext is needed; the stream is notified when it has arrived. 0 at EOF.</summary>
    int? Read(Memory<byte> buffer);

    /// <summary>Encrypts and sends. Null if the transport must first send what it has; the stream is notified when it has.</summary>
    /// <remarks>After null the next call passes the same pieces at the front, and perhaps more after them.</remarks>
    int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>How many of the bytes that are encrypted but not reported as written have reached the peer in whole records.</summary>
    /// <param name="dropped">The bytes of records that the transport has not sent.</param>
    int GetDelivered(long dropped);

    /// <summary>Sends close_notify: nothing more will be written.</summary>
    void Shutdown();
}
