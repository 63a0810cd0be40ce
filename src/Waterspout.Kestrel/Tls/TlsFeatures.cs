using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Waterspout.Kestrel.Tls;

/// <summary>What was negotiated, as Kestrel and applications ask for it. Read once: the stream is disposed with the connection.</summary>
internal sealed class TlsFeatures : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature
{
    internal TlsFeatures(SslStream ssl)
    {
        ClientCertificate = ssl.RemoteCertificate as X509Certificate2;
        Protocol = ssl.SslProtocol;
        NegotiatedCipherSuite = ssl.NegotiatedCipherSuite;
        HostName = ssl.TargetHostName;
        ApplicationProtocol = ssl.NegotiatedApplicationProtocol.Protocol;
#pragma warning disable SYSLIB0058 // The interface has them still, and its users may ask.
        CipherAlgorithm = ssl.CipherAlgorithm;
        CipherStrength = ssl.CipherStrength;
        HashAlgorithm = ssl.HashAlgorithm;
        HashStrength = ssl.HashStrength;
        KeyExchangeAlgorithm = ssl.KeyExchangeAlgorithm;
        KeyExchangeStrength = ssl.KeyExchangeStrength;
    }

    public CipherAlgorithmType CipherAlgorithm { get; }

    public int CipherStrength { get; }

    public HashAlgorithmType HashAlgorithm { get; }

    public int HashStrength { get; }

    public ExchangeAlgorithmType KeyExchangeAlgorithm { get; }

    public int KeyExchangeStrength { get; }
#pragma warning restore SYSLIB0058

    public X509Certificate2? ClientCertificate { get; set; }

    public SslProtocols Protocol { get; }

    public TlsCipherSuite? NegotiatedCipherSuite { get; }

    public string HostName { get; }

    public ReadOnlyMemory<byte> ApplicationProtocol { get; }

    // A certificate is requested in the handshake, or not at all.
    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
}
