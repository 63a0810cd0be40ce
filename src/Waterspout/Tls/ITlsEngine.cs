using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tls;

/// <summary>What an SslIOStream needs of an implementation of TLS. It works on a transport that it was made with.</summary>
/// <remarks>
/// The way it is asked is that of a non-blocking descriptor, so that the stream above is one like any other. There is one
/// implementation, over SslStream; one over the lower-level types of a later .NET would be another.
/// </remarks>
internal interface ITlsEngine : IDisposable
{
    SslProtocols Protocol { get; }

    TlsCipherSuite CipherSuite { get; }

    SslApplicationProtocol ApplicationProtocol { get; }

    string TargetHostName { get; }

    X509Certificate2? RemoteCertificate { get; }

    /// <summary>The peer ended the transport without having said in TLS that it would.</summary>
    bool IsTruncated { get; }

    /// <summary>What has been received is decrypted in the next turn of the loop. The stream is told then.</summary>
    bool IsDeferred { get; }

    /// <summary>Waits, on the loop, until the peer has sent something. A server has nothing to compute before.</summary>
    ValueTask WaitForPeerAsync();

    /// <summary>Receives, on the loop, the first bytes of a peer that has sent something.</summary>
    ValueTask ReceiveFirstAsync();

    /// <summary>Does the handshake, which is asked for all that has to be received but for the first bytes. Not on the loop's thread: its cryptography takes milliseconds.</summary>
    Task HandshakeAsync(Handshake handshake);

    /// <summary>Receives ciphertext for the handshake, on the loop. 0 at the end.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Decrypts what there is. Null when more is needed first; the stream is told when it has come. 0 at the end.</summary>
    int? Read(Memory<byte> buffer);

    /// <summary>Encrypts and sends. Null when the transport must take what it has first; the stream is told when it has.</summary>
    /// <remarks>After null the same pieces come again at the front, with more behind them perhaps.</remarks>
    int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>How much of what is encrypted, and has not been reported as written, a peer has whole records of.</summary>
    /// <param name="dropped">Bytes of records that the transport has not sent.</param>
    int GetDelivered(long dropped);

    /// <summary>Tells the peer that nothing more will be written (close_notify).</summary>
    void Shutdown();
}
