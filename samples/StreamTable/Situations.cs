using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Waterspout;

namespace StreamTable;

/// <summary>Servers on this loop, and clients of the kinds that make a connection slow.</summary>
internal sealed class Situations : IAsyncDisposable
{
    private readonly TcpServer _lines = new(SendManyLinesAsync);
    private readonly TcpServer _secure;
    private readonly List<Socket> _clients = [];
    private readonly X509Certificate2 _certificate = MakeCertificate();

    private Situations() => _secure = new TcpServer(_ => Task.CompletedTask, new TcpServerOptions
    {
        Ssl = new SslServerAuthenticationOptions { ServerCertificate = _certificate },
        HandshakeTimeout = Timeout.InfiniteTimeSpan,
    });

    /// <summary>Each situation is seen in the list, as the sentence that explains it.</summary>
    internal static bool AreAllIn(IReadOnlyList<StreamInfo> streams) =>
        Array.TrueForAll(["The peer does not read", "The peer does not send", "Its TLS handshake waits for the peer", "The handler does not read"],
            sentence => streams.Any(stream => stream.Explanation.StartsWith(sentence, StringComparison.Ordinal)));

    internal static async Task<Situations> BeginAsync()
    {
        Situations all = new();
        EndPoint lines = all._lines.Listen(0, "127.0.0.1");
        EndPoint secure = all._secure.Listen(0, "127.0.0.1");
        await all.ConnectAsync(lines, "send\n"u8.ToArray()); // and does not read the answer
        await all.ConnectAsync(lines, "wait\nand more"u8.ToArray()); // while the handler does something else
        await all.ConnectAsync(lines, []); // says nothing
        await all.ConnectAsync(secure, []); // does not begin its handshake
        return all;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Socket client in _clients) client.Dispose();
        await _lines.StopAsync(TimeSpan.Zero);
        await _secure.StopAsync(TimeSpan.Zero);
        _certificate.Dispose();
    }

    private static async Task SendManyLinesAsync(IOStream stream)
    {
        byte[] data = new byte[16 * 1024 * 1024];
        while (true)
        {
            string? line = await stream.ReadLineAsync(maxBytes: 100);
            if (line is null) return;
            if (line == "send") await stream.WriteAsync(data.AsMemory());
            if (line == "wait") await Task.Delay(Timeout.Infinite, stream.Closed);
        }
    }

    private async Task ConnectAsync(EndPoint address, byte[] data)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        await client.ConnectAsync(address);
        await client.SendAsync(data);
    }

    private static X509Certificate2 MakeCertificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
