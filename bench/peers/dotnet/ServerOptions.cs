using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Bench.Peers;

internal interface IServer
{
    /// <summary>Listens; false if it does not support the mode.</summary>
    bool Start(ServerOptions options);
}

internal sealed record ServerOptions(string Mode, int Port, int Size, int Loops, SslServerAuthenticationOptions? Tls)
{
    internal IPEndPoint EndPoint => new(IPAddress.Loopback, Port);

    /// <summary>Size 0: many idle connections follow, and memory is measured.</summary>
    internal bool SavesMemory => Size == 0;

    /// <summary>Our loops poll for events for a moment before they sleep, as is their default.</summary>
    internal bool PollsBriefly { get; private init; } = true;

    internal static ServerOptions Parse(string[] args)
    {
        SslServerAuthenticationOptions? tls = null;
        if (args.Length > 6)
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(args[5], args[6]);
            X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            tls = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            };
        }

        return new ServerOptions(args[1], Number(args[2]), Number(args[3]), Number(args[4]), tls) { PollsBriefly = !args[0].EndsWith("-blocking", StringComparison.Ordinal) };
    }

    /// <summary>Byte i is i modulo 256, which is what the load expects of a source.</summary>
    internal byte[] MakePattern()
    {
        byte[] pattern = new byte[Size];
        for (int i = 0; i < pattern.Length; i++) pattern[i] = (byte)i;
        return pattern;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
