using System.Net;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>A page that ends with the TLS connection.</summary>
public sealed class TlsPageTests
{
    private static readonly string s_page = string.Concat(Enumerable.Range(0, 20_000).Select(number => $"line {number}\n"));

    [Fact]
    public void It_arrives_at_curl() => TestLoop.Run(async () =>
    {
        string curl = Tool.Require("curl");
        Child.Outcome fetched = await ServeAsync(AnswerAsync, async (folder, port) =>
            await Child.RunAsync(curl, "--silent", "--show-error", "--http1.0", "--ipv4", "--cacert", folder.Root, $"https://localhost:{port}/"));
        Assert.Equal("", fetched.Errors);
        Assert.Equal(0, fetched.ExitCode);
        Assert.Equal(s_page, Encoding.ASCII.GetString(fetched.Output));
    });

    // Not every version of curl checks for close_notify; s_client does.
    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public void It_ends_with_close_notify(string version) => TestLoop.Run(async () =>
    {
        Child.Outcome fetched = await ServeAsync(AnswerAsync, (folder, port) => RequestAsync(folder, port, version));
        Assert.DoesNotContain("unexpected eof", fetched.Errors);
        Assert.Equal(0, fetched.ExitCode);
        Assert.EndsWith(s_page, Encoding.ASCII.GetString(fetched.Output));
    });

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public void Closed_at_once_it_ends_without_close_notify(string version) => TestLoop.Run(async () =>
    {
        Child.Outcome fetched = await ServeAsync(AnswerAndCloseAsync, (folder, port) => RequestAsync(folder, port, version));
        Assert.Contains("unexpected eof", fetched.Errors);
        Assert.Equal(1, fetched.ExitCode);
    });

    private static async Task<Child.Outcome> ServeAsync(Func<IOStream, Task> handler, Func<TlsFolder, int, Task<Child.Outcome>> fetch)
    {
        using TlsFolder folder = new();
        await using TcpServer server = new(handler, new TcpServerOptions { Ssl = folder.ServerOptions() });
        return await fetch(folder, ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port);
    }

    private static async Task<Child.Outcome> RequestAsync(TlsFolder folder, int port, string version)
    {
        using Child client = Child.Start(
            Tool.Require("openssl"), "s_client", "-connect", $"127.0.0.1:{port}", "-CAfile", folder.Root, "-verify_return_error", "-quiet", version);
        return await client.FinishAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
    }

    private static async Task AnswerAsync(IOStream stream)
    {
        await stream.ReadUntilAsync("\r\n\r\n"u8, maxBytes: 64 * 1024);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + s_page));
    }

    private static async Task AnswerAndCloseAsync(IOStream stream)
    {
        await AnswerAsync(stream);
        await stream.FlushAsync();
        stream.Close();
    }
}
