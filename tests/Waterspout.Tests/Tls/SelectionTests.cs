using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Waterspout.Testing;

namespace Waterspout.Tests.Tls;

/// <summary>TLS options that a server selects by the name that the client asks for.</summary>
[OnEachPoller]
public sealed class SelectionTests : LoopTest
{
    private static readonly SslServerAuthenticationOptions s_main = TestCertificates.ServerOptions();
    private static readonly SslServerAuthenticationOptions s_other = TestCertificates.ServerOptions(TestCertificates.OtherServer);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_name_has_its_own_certificate(bool isAsync) => Run(async () =>
    {
        await using TcpServer server = new(GreetAsync, new TcpServerOptions
        {
            SelectSsl = async (hello, _) =>
            {
                if (isAsync) await Task.Yield();
                return hello.ServerName == "other.test" ? s_other : s_main;
            },
        });
        int port = Listen(server);
        Assert.Equal(TestCertificates.Server, await CertificateOfAsync(port, TestCertificates.Host));
        Assert.Equal(TestCertificates.OtherServer, await CertificateOfAsync(port, "other.test"));
        await Assert.ThrowsAsync<StreamClosedException>(() => CertificateOfAsync(port, "unknown.test"));
    });

    [Fact]
    public void Connections_keep_their_certificate_when_it_is_replaced_under_load() => Run(async () =>
    {
        X509Certificate2 renewed = TestCertificates.MakeLeaf(TestCertificates.Host, TestCertificates.Root);
        SslServerAuthenticationOptions current = s_main;
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { SelectSsl = (_, _) => ValueTask.FromResult(Volatile.Read(ref current)) });
        int port = Listen(server);
        await using SslIOStream old = await ConnectAsync(port, TestCertificates.Host);
        ConcurrentQueue<X509Certificate2> seen = [];
        bool isReloaded = false;
        Task[] load = [.. Enumerable.Range(0, 8).Select(async _ =>
        {
            for (int after = 0; after < 3; after += Volatile.Read(ref isReloaded) ? 1 : 0)
            {
                await using SslIOStream client = await ConnectAsync(port, TestCertificates.Host);
                seen.Enqueue(client.RemoteCertificate!);
                await AssertEchoAsync(client);
            }
        })];
        while (seen.Count < 8) await Turn();
        Volatile.Write(ref current, TestCertificates.ServerOptions(renewed));
        Volatile.Write(ref isReloaded, true);
        await Task.WhenAll(load);
        Assert.Equal([TestCertificates.Server, renewed], seen.Distinct().OrderBy(certificate => certificate.Equals(renewed)));
        Assert.Equal(renewed, await CertificateOfAsync(port, TestCertificates.Host));
        await AssertEchoAsync(old);
        Assert.Equal(TestCertificates.Server, old.RemoteCertificate);
    });

    [Fact]
    public void A_selection_that_fails_fails_its_handshake_and_no_other() => Run(async () =>
    {
        await using TcpServer server = new(GreetAsync, new TcpServerOptions
        {
            SelectSsl = static (hello, _) => hello.ServerName switch
            {
                TestCertificates.Host => ValueTask.FromResult(s_main),
                "null.test" => ValueTask.FromResult<SslServerAuthenticationOptions>(null!),
                _ => throw new InvalidDataException($"No certificate for {hello.ServerName}."),
            },
        });
        int port = Listen(server);
        await Assert.ThrowsAsync<StreamClosedException>(() => CertificateOfAsync(port, "unknown.test"));
        await Assert.ThrowsAsync<StreamClosedException>(() => CertificateOfAsync(port, "null.test"));
        Assert.Equal(TestCertificates.Server, await CertificateOfAsync(port, TestCertificates.Host));
        while (server.ConnectionCount > 0) await Turn();
        Assert.Single(Log.Lines, static line => line.Message.Contains("No certificate for unknown.test."));
    });

    [Fact]
    public void A_selection_that_never_ends_is_cancelled_by_the_time_limit()
    {
        ManualTimeProvider time = new();
        Run(async () =>
        {
            TaskCompletionSource begun = new(), cancelled = new();
            await using TcpServer server = new(GreetAsync, new TcpServerOptions
            {
                HandshakeTimeout = TimeSpan.FromSeconds(1),
                SelectSsl = async (_, closed) =>
                {
                    begun.SetResult();
                    try
                    {
                        await Task.Delay(Timeout.Infinite, closed);
                    }
                    finally
                    {
                        cancelled.SetResult();
                    }

                    return s_main;
                },
            });
            Task<X509Certificate2> client = CertificateOfAsync(Listen(server), TestCertificates.Host);
            await begun.Task;
            time.Advance(TimeSpan.FromSeconds(2));
            await Assert.ThrowsAsync<StreamClosedException>(() => client);
            await cancelled.Task;
        }, options => options.TimeProvider = time);
    }

    [Fact]
    public void A_connection_that_is_upgraded_can_have_its_options_selected() => Run(async () =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        ValueTask<SslIOStream> serving = right.StartTlsAsync(static (hello, _) => ValueTask.FromResult(hello.ServerName == "other.test" ? s_other : s_main));
        await using SslIOStream client = await left.StartTlsAsync(TestCertificates.ClientOptions("other.test"));
        await using SslIOStream server = await serving;
        Assert.Equal(TestCertificates.OtherServer, client.RemoteCertificate);
        Assert.Equal("other.test", server.TargetHostName);
        Assert.Throws<ArgumentNullException>(() => { _ = left.StartTlsAsync((Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>>)null!); });
    });

    [Fact]
    public void One_of_the_two_options_is_set() =>
        Assert.Throws<ArgumentException>(() => new TcpServer(GreetAsync, new TcpServerOptions { Ssl = s_main, SelectSsl = static (_, _) => ValueTask.FromResult(s_main) }));

    private static int Listen(TcpServer server) => ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;

    private static Task GreetAsync(IOStream stream) => stream.WriteLineAsync("hello").AsTask();

    private static async Task EchoAsync(IOStream stream)
    {
        while (await stream.ReadLineAsync() is { } line) await stream.WriteLineAsync(line);
    }

    private static async Task AssertEchoAsync(IOStream client)
    {
        await client.WriteLineAsync("line");
        Assert.Equal("line", await client.ReadLineAsync());
    }

    private static ValueTask<SslIOStream> ConnectAsync(int port, string name) =>
        SslIOStream.ConnectAsync("127.0.0.1", port, TestCertificates.ClientOptions(name));

    private static async Task<X509Certificate2> CertificateOfAsync(int port, string name)
    {
        await using SslIOStream client = await ConnectAsync(port, name);
        return client.RemoteCertificate!;
    }
}
