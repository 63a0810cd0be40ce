using System.Net;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>
/// The keys change in the middle of a transfer, repeatedly, at the request of openssl on the other side: by KeyUpdate, which requests the
/// same in return (TLS 1.3), or by renegotiation (TLS 1.2).
/// </summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment 256 MiB each way instead of 16.</remarks>
public sealed class TlsRekeyTests(ITestOutputHelper output)
{
    private static readonly string[] s_remarks = ["read R BLOCK", "Read BLOCK", "SSL_do_handshake -> 1"];

    [Fact]
    public void A_server_keeps_sending_while_the_client_changes_keys() => TestLoop.Run(async () =>
    {
        string openssl = Tool.Require("openssl");
        using TlsFolder folder = new();
        await using TcpServer server = new(SendAndEchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        using Child client = Child.Start(openssl, "s_client", "-connect", $"127.0.0.1:{port}", "-CAfile", folder.Root, "-verify_return_error", "-tls1_3");
        await client.SayAsync("go\n");
        await NumberedLines.SkipToFirstAsync(client);
        Task reading = NumberedLines.CheckAsync(client, s_remarks);
        int updates = 0;
        while (!reading.IsCompleted)
        {
            // openssl treats input as a command only at the beginning of what it reads, so one at a time.
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

    [Theory]
    [InlineData("-tls1_3", "K\n")]
    [InlineData("-tls1_2", "r\n")]
    public void A_client_keeps_sending_while_the_server_changes_keys(string protocol, string command) => TestLoop.Run(async () =>
    {
        using TlsFolder folder = new();
        using OpenSslServer server = await OpenSslServer.StartInteractiveAsync(folder, protocol);
        await using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", server.Port, folder.ClientOptions());
        // SslStream renegotiates within a read.
        Task<byte[]> answer = stream.ReadUntilAsync("\n"u8).AsTask();
        Task<int> reading = Task.Run(async () =>
        {
            await NumberedLines.SkipToFirstAsync(server.Process);
            return await NumberedLines.CheckAsync(server.Process, s_remarks);
        });
        for (int block = 0; block < NumberedLines.Blocks; block++)
        {
            await stream.WriteAsync(NumberedLines.Block(block).AsMemory());
            // In the first half: openssl checks its input between two records, and has seen the last of these long before the end.
            if (block < NumberedLines.Blocks / 2 && block % 4 == 0) await server.Process.SayAsync(command);
        }

        int seen = await reading;
        await server.Process.SayAsync("back\n");
        Assert.Equal("back\n", Encoding.ASCII.GetString(await answer));
        await server.Process.SayAsync("Q\n");
        (_, string rest, _) = await server.Process.EndInputAsync();
        int changes = seen + rest.Split('\n').Count(line => line == "SSL_do_handshake -> 1");
        // Fewer than requested, since openssl takes several that it reads together for one.
        output.WriteLine($"{changes} changes");
        Assert.True(changes > 0);
    });

    private static async Task SendAndEchoAsync(IOStream stream)
    {
        await stream.ReadUntilAsync("go\n"u8);
        for (int block = 0; block < NumberedLines.Blocks; block++) await stream.WriteAsync(NumberedLines.Block(block).AsMemory());
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }
}
