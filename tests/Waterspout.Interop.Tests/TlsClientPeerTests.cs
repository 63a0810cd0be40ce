using System.Net.Sockets;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The samples as TLS servers of `openssl s_client`.</summary>
public sealed class TlsClientPeerTests
{
    [Theory]
    [InlineData("-tls1_2", "TLSv1.2")]
    [InlineData("-tls1_3", "TLSv1.3")]
    public async Task The_echo_server_sends_lines_back(string version, string name)
    {
        using TlsFolder folder = new();
        using EchoServer server = await StartAsync(folder);
        Assert.Contains($"New, {name}, Cipher is", await EchoAsync(folder, server, version));
    }

    [Fact]
    public async Task A_client_of_TLS_1_1_is_refused()
    {
        using TlsFolder folder = new();
        using EchoServer server = await StartAsync(folder);
        using Child client = Child.Start(Tool.Require("openssl"), [.. Arguments(folder, server.Port), "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]);
        Child.Outcome outcome = await client.FinishAsync([]);
        // Which alert is sent depends on whether OpenSSL's version or its security level refuses; both are the server's.
        Assert.Contains("SSL alert number", outcome.Errors);
        Assert.Contains("Cipher is (NONE)", Encoding.ASCII.GetString(outcome.Output));
        Assert.Equal(1, outcome.ExitCode);
    }

    [Fact]
    public async Task Reconnecting_resumes_the_session_of_TLS_1_2()
    {
        using TlsFolder folder = new();
        using EchoServer server = await StartAsync(folder);
        string said = await EchoAsync(folder, server, "-tls1_2", "-reconnect");
        Assert.Equal(1, Count(said, "New, TLSv1.2"));
        Assert.Equal(5, Count(said, "Reused, TLSv1.2"));
    }

    [Fact]
    public async Task A_ticket_of_TLS_1_3_resumes_its_session()
    {
        using TlsFolder folder = new();
        using EchoServer server = await StartAsync(folder);
        string session = folder.At("session.pem");
        Assert.Contains("New, TLSv1.3", await EchoAsync(folder, server, "-tls1_3", "-sess_out", session));
        Assert.Contains("Reused, TLSv1.3", await EchoAsync(folder, server, "-tls1_3", "-sess_in", session));
    }

    [Fact]
    public async Task Garbage_ends_its_own_connection_only()
    {
        using TlsFolder folder = new();
        using EchoServer server = await StartAsync(folder);
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] garbage = new byte[500];
            new Random(seed).NextBytes(garbage);
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", server.Port, TestContext.Current.CancellationToken);
            await socket.SendAsync(garbage);
            socket.Shutdown(SocketShutdown.Send);
            await DrainAsync(socket);
        }

        Assert.Contains("New, TLSv1.3", await EchoAsync(folder, server, "-tls1_3"));
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n", "-crlf")]
    public async Task The_mail_server_takes_a_message_after_STARTTLS(string lineEnd, params string[] more)
    {
        string openssl = Tool.Require("openssl");
        using TlsFolder folder = new();
        using Child server = Child.Start(
            Repository.Sample("StartTls"), "--port", "0", "--tls-cert", folder.ServerCertificate, "--tls-key", folder.ServerKey);
        string port = (await server.ReadLineAsync())!.Split(':')[^1];
        string[] dialogue = ["EHLO me", "MAIL FROM:<a@localhost>", "RCPT TO:<b@localhost>", "DATA", "Subject: hello", "", "From s_client.", ".", "QUIT", ""];
        // Quiet, since otherwise a line that begins with Q or R is a command to s_client.
        using Child client = Child.Start(openssl, [.. Arguments(folder, int.Parse(port)), "-starttls", "smtp", "-quiet", .. more]);
        Child.Outcome outcome = await client.FinishAsync(Encoding.ASCII.GetBytes(string.Join(lineEnd, dialogue)));
        Assert.EndsWith("250 taken\r\n221 bye\r\n", Encoding.ASCII.GetString(outcome.Output));

        List<string?> taken = [];
        while (taken is not [.., "--" or null]) taken.Add(await server.ReadLineAsync());
        Assert.Equal(["-- the server got:", "Subject: hello", "", "From s_client.", ".", "--"], taken);
    }

    private static async Task<EchoServer> StartAsync(TlsFolder folder)
    {
        Tool.Require("openssl");
        return await EchoServer.StartAsync("--tls-cert", folder.ServerCertificate, "--tls-key", folder.ServerKey);
    }

    private static string[] Arguments(TlsFolder folder, int port) =>
        ["s_client", "-connect", $"127.0.0.1:{port}", "-CAfile", folder.Root, "-verify_return_error", "-verify_hostname", "localhost"];

    /// <summary>Has a line echoed, and returns what s_client printed before and after it.</summary>
    private static async Task<string> EchoAsync(TlsFolder folder, EchoServer server, params string[] more)
    {
        using Child client = Child.Start(Tool.Require("openssl"), [.. Arguments(folder, server.Port), .. more]);
        await client.SayAsync("a line\n");
        StringBuilder said = new();
        string? line;
        while ((line = await client.ReadLineAsync()) is not (null or "a line")) said.AppendLine(line);
        (int exitCode, string rest, string errors) = await client.EndInputAsync();
        Assert.True(line is not null && exitCode == 0, $"{said}{rest}{errors}");
        return said + rest;
    }

    private static async Task DrainAsync(Socket socket)
    {
        byte[] buffer = new byte[1024];
        try
        {
            while (await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Truncation is acceptable here.
        }
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
