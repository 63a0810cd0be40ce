using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The ForwardProxy sample between curl and nginx, and against clients that do everything wrong.</summary>
public sealed class ForwardProxyTests
{
    [Fact]
    public async Task Curl_fetches_over_TLS_through_it()
    {
        string curl = Tool.Require("curl");
        await using Nginx nginx = new();
        await nginx.StartAsync(isSecure: true);
        string page = string.Concat(Enumerable.Range(0, 100_000).Select(static number => $"{number} of a long page\n"));
        await File.WriteAllTextAsync(Path.Combine(nginx.Root, "page"), page);

        (Child proxy, int port) = await StartAsync();
        using (proxy)
        {
            Child.Outcome fetched = await Child.RunAsync(
                curl, "-sS", "--proxy", $"http://127.0.0.1:{port}", "--cacert", nginx.Certificate, $"{nginx.SecureUrl}/page");
            Assert.Equal("", fetched.Errors);
            Assert.Equal(page, Encoding.ASCII.GetString(fetched.Output));
            await StopAsync(proxy);
        }
    }

    [Theory]
    [InlineData("GET http://localhost/ HTTP/1.1\r\n\r\n", "405")]
    [InlineData("CONNECT nothing HTTP/1.1\r\n\r\n", "400")]
    [InlineData("CONNECT [::1 HTTP/1.1\r\n\r\n", "400")]
    [InlineData("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "502")]
    [InlineData("hello\r\n\r\n", "405")]
    public async Task A_request_that_cannot_be_served_is_answered(string request, string status)
    {
        (Child proxy, int port) = await StartAsync();
        using (proxy)
        {
            Assert.StartsWith($"HTTP/1.1 {status} ", await AskAsync(port, Encoding.ASCII.GetBytes(request)));
            await StopAsync(proxy);
        }
    }

    [Fact]
    public async Task A_head_without_an_end_is_answered_and_costs_nobody_else()
    {
        (Child proxy, int port) = await StartAsync();
        using (proxy)
        {
            Assert.StartsWith("HTTP/1.1 431 ", await AskAsync(port, Encoding.ASCII.GetBytes("CONNECT a:1 HTTP/1.1\r\nX: " + new string('x', 100_000))));
            Assert.StartsWith("HTTP/1.1 405 ", await AskAsync(port, "GET / HTTP/1.1\r\n\r\n"u8.ToArray()));
            await StopAsync(proxy);
        }
    }

    [Fact]
    public async Task Each_end_is_passed_on_by_itself()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        (Child proxy, int port) = await StartAsync();
        using (proxy)
        using (Socket client = await ConnectAsync(port))
        {
            await client.SendAsync(Encoding.ASCII.GetBytes($"CONNECT 127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port} HTTP/1.1\r\n\r\n"));
            using Socket server = await listener.AcceptAsync();
            byte[] answer = new byte[1000];
            int length = await client.ReceiveAsync(answer);
            Assert.StartsWith("HTTP/1.1 200 ", Encoding.ASCII.GetString(answer, 0, length));

            await client.SendAsync("question"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal("question", await ReadToEndAsync(server));
            await server.SendAsync("answer"u8.ToArray());
            server.Shutdown(SocketShutdown.Send);
            Assert.Equal("answer", await ReadToEndAsync(client));
            await StopAsync(proxy);
        }
    }

    [Fact]
    public async Task An_address_has_no_more_connections_than_it_may()
    {
        (Child proxy, int port) = await StartAsync("--per-client", "2");
        using (proxy)
        {
            using Socket first = await ConnectAsync(port), second = await ConnectAsync(port);
            byte[] request = "GET / HTTP/1.1\r\n\r\n"u8.ToArray();
            Assert.Equal("", await AskAsync(port, request));
            first.Close(0);
            second.Close(0);
            // Room appears when the ends of the first two have been noticed.
            string answer;
            do answer = await AskAsync(port, request);
            while (answer.Length == 0);
            Assert.StartsWith("HTTP/1.1 405 ", answer);
            await StopAsync(proxy);
        }
    }

    private static async Task<(Child Proxy, int Port)> StartAsync(params string[] more)
    {
        Child proxy = Child.Start(Repository.Sample("ForwardProxy"), ["--port", "0", .. more]);
        string line = await proxy.ReadLineAsync() ?? await proxy.ReadErrorLineAsync() ?? "";
        return (proxy, IPEndPoint.Parse(line["listening on ".Length..]).Port);
    }

    private static async Task StopAsync(Child proxy)
    {
        await proxy.SignalAsync("TERM");
        Child.Outcome ended = await proxy.FinishAsync([]);
        Assert.Equal("", ended.Errors);
        Assert.Equal(0, ended.ExitCode);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>The answer; empty if the connection is refused, which its reset shows, at any time from the connect on.</summary>
    private static async Task<string> AskAsync(int port, byte[] request)
    {
        try
        {
            using Socket client = await ConnectAsync(port);
            await client.SendAsync(request);
            client.Shutdown(SocketShutdown.Send);
            return await ReadToEndAsync(client);
        }
        catch (SocketException)
        {
            return "";
        }
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and int count) text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        catch (SocketException)
        {
            // A reset ends it as well.
        }

        return text.ToString();
    }
}
