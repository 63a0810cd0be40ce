using System.Globalization;
using System.Net;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The keys of TLS 1.3 change in the middle of a transfer (KeyUpdate), again and again, because openssl on the other side wants it and asks for the same.</summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment 256 MiB each way instead of 16.</remarks>
public sealed class TlsKeyUpdateTests(ITestOutputHelper output)
{
    // A record has 256 of these lines, so what openssl itself says comes between two lines; or in two pieces, since it is buffered and data is not.
    private const int LineLength = 64;
    private const int LinesInBlock = 1024;

    private static readonly int s_blocks = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1" ? 4096 : 256;
    private static readonly string[] s_remarks = ["read R BLOCK", "Read BLOCK", "SSL_do_handshake -> 1"];

    [Fact]
    public void A_server_goes_on_sending_while_the_client_changes_keys() => TestLoop.Run(async () =>
    {
        string openssl = Tool.Require("openssl");
        using TlsFolder folder = new();
        await using TcpServer server = new(SendAndEchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        using Child client = Child.Start(openssl, "s_client", "-connect", $"127.0.0.1:{port}", "-CAfile", folder.Root, "-verify_return_error", "-tls1_3");
        await client.SayAsync("go\n");
        await SkipToLineAsync(client, 0);
        Task reading = CheckLinesAsync(client, 1);
        int updates = 0;
        while (!reading.IsCompleted)
        {
            // A command only where it is the first that openssl reads, so one at a time.
            await client.SayAsync("K\n");
            while (await client.ReadErrorLineAsync() != "KEYUPDATE") Assert.False(client.HasEnded);
            updates++;
        }

        await reading;
        output.WriteLine($"{updates} updates");
        Assert.True(updates > 10);
        // And the other direction, whose keys have changed as often.
        await client.SayAsync("over\n");
        string? line;
        do line = await client.ReadLineAsync();
        while (line is not null && !line.EndsWith("over", StringComparison.Ordinal));
        Assert.NotNull(line);
    });

    [Fact]
    public void A_client_goes_on_sending_while_the_server_changes_keys() => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        using OpenSslServer server = await OpenSslServer.StartInteractiveAsync(folder, "-tls1_3");
        await using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", server.Port, folder.ClientOptions());
        Task<int> reading = Task.Run(async () =>
        {
            await SkipToLineAsync(server.Process, 0);
            return await CheckLinesAsync(server.Process, 1);
        });
        for (int block = 0; block < s_blocks; block++)
        {
            await stream.WriteAsync(Block(block).AsMemory());
            // In the first half: openssl looks at its input between two records, and has seen the last of these long before the end.
            if (block < s_blocks / 2 && block % 4 == 0) await server.Process.SayAsync("K\n");
        }

        int seen = await reading;
        await server.Process.SayAsync("back\n");
        Assert.Equal("back\n", Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)));
        await server.Process.SayAsync("Q\n");
        (_, string rest, _) = await server.Process.EndInputAsync();
        int updates = seen + rest.Split('\n').Count(line => line == "SSL_do_handshake -> 1");
        // Fewer than were asked for, since openssl takes several that it reads together for one.
        output.WriteLine($"{updates} updates");
        Assert.True(updates > 0);
    });

    private static async Task SendAndEchoAsync(IOStream stream)
    {
        await stream.ReadUntilAsync("go\n"u8);
        for (int block = 0; block < s_blocks; block++) await stream.WriteAsync(Block(block).AsMemory());
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    private static byte[] Block(int number)
    {
        byte[] block = new byte[LineLength * LinesInBlock];
        for (int i = 0; i < LinesInBlock; i++)
        {
            Span<byte> line = block.AsSpan(i * LineLength, LineLength);
            ((number * LinesInBlock) + i).TryFormat(line, out _, Format, CultureInfo.InvariantCulture);
            line[^1] = (byte)'\n';
        }

        return block;
    }

    private static string Format => "D63";

    private static async Task SkipToLineAsync(Child openssl, int number)
    {
        string? line;
        do line = await openssl.ReadLineAsync();
        while (line is not null && line != number.ToString(Format, CultureInfo.InvariantCulture));
        Assert.NotNull(line);
    }

    /// <summary>Sees that the lines come in order, and returns how many handshakes openssl reported between them.</summary>
    private static async Task<int> CheckLinesAsync(Child openssl, int first)
    {
        int handshakes = 0;
        for (int expected = first; expected < s_blocks * LinesInBlock;)
        {
            string line = await openssl.ReadLineAsync() ?? throw new EndOfStreamException();
            if (line.StartsWith("SSL", StringComparison.Ordinal)) handshakes++;
            if (s_remarks.Any(remark => remark.EndsWith(line, StringComparison.Ordinal))) continue;
            Assert.Equal(expected++, int.Parse(line[^(LineLength - 1)..], CultureInfo.InvariantCulture));
        }

        return handshakes;
    }
}
