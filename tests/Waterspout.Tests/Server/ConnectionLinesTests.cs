using System.Net;
using System.Text.RegularExpressions;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>All log lines of a connection, from accept to close, have its number, and name its peer.</summary>
[OnEachPoller]
public sealed partial class ConnectionLinesTests : LoopTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_connection_has_its_lines_with_one_number_and_its_peer(bool isTls) => Run(async () =>
    {
        HashSet<string> numbers = [];
        await using TcpServer server = new(stream => stream.ReadUntilCloseAsync().AsTask(), new TcpServerOptions { Ssl = isTls ? TestCertificates.ServerOptions() : null });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        for (int i = 0; i < 3; i++)
        {
            int before = Log.Lines.Count;
            await using IOStream client = isTls
                ? await SslIOStream.ConnectAsync("localhost", address.Port, TestCertificates.ClientOptions())
                : await IOStream.ConnectAsync("127.0.0.1", address.Port);
            string peer = client.LocalEndPoint!.ToString()!;
            await client.CloseAsync();
            while (server.ConnectionCount > 0) await Turn();
            string[] lines = [.. Log.Lines.Skip(before).Select(line => line.Message).Where(line => line.Contains($" {peer}"))];
            Assert.Single(lines, line => line.EndsWith(" accepted."));
            Assert.Equal(isTls ? 1 : 0, lines.Count(line => line.Contains(": handshake done")));
            Assert.Single(lines, line => line.Contains(" closed: "));
            // One number, which no earlier connection had, although they had the same descriptor.
            Assert.All(lines, line => Assert.StartsWith(isTls ? "SslIOStream " : "IOStream ", line));
            Assert.True(numbers.Add(Assert.Single(lines.Select(line => Number().Match(line).Value).Distinct())));
        }

        Assert.DoesNotContain(Log.Lines, line => line.Message.StartsWith("TlsTransport"));
    });

    [GeneratedRegex("#[0-9]+")]
    private static partial Regex Number();
}
