using System.Net;
using System.Net.Security;

namespace Waterspout.Interop.Tests;

/// <summary>A server behind haproxy and nginx, which say who the client is with the PROXY protocol.</summary>
public sealed class ProxyTests
{
    private const string NginxModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

    [Theory]
    [InlineData("send-proxy", 1, false)]
    [InlineData("send-proxy-v2", 2, false)]
    [InlineData("send-proxy-v2 proxy-v2-options crc32c,unique-id", 2, false)]
    [InlineData("send-proxy", 1, true)]
    [InlineData("send-proxy-v2", 2, true)]
    public async Task Behind_haproxy_a_handler_has_the_clients_address(string send, int version, bool isTls)
    {
        string program = Tool.Require("haproxy");
        using TlsFolder tls = new();
        await using TcpServer server = MakeServer(isTls ? tls.ServerOptions() : null);
        int backend = Listen(server), port = Nginx.FindFreePort();
        string configuration = tls.At("haproxy.cfg");
        await File.WriteAllTextAsync(configuration, $"""
            defaults
              mode tcp
              timeout connect 10s
              timeout client 60s
              timeout server 60s
            listen front
              bind 127.0.0.1:{port}
              unique-id-format %[uuid()]
              server back 127.0.0.1:{backend} {send}

            """);
        using Child proxy = Child.Start(program, "-db", "-f", configuration);
        await AssertDescribedAsync(port, version, isTls ? tls.ClientOptions() : null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Behind_nginx_a_handler_has_the_clients_address(bool isTls)
    {
        string program = Tool.Require("nginx");
        if (!File.Exists(NginxModule)) Assert.Skip("nginx has no stream module.");
        using TlsFolder tls = new();
        await using TcpServer server = MakeServer(isTls ? tls.ServerOptions() : null);
        int backend = Listen(server), port = Nginx.FindFreePort();
        string configuration = tls.At("nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            load_module {{NginxModule}};
            daemon off; master_process off; pid {{tls.At("pid")}}; error_log {{tls.At("errors")}};
            events { worker_connections 64; }
            stream { server { listen 127.0.0.1:{{port}}; proxy_pass 127.0.0.1:{{backend}}; proxy_protocol on; } }
            """);
        using Child proxy = Child.Start(program, "-c", configuration);
        await AssertDescribedAsync(port, version: 1, isTls ? tls.ClientOptions() : null);
    }

    private static TcpServer MakeServer(SslServerAuthenticationOptions? ssl) => new(DescribeAsync, new TcpServerOptions
    {
        Ssl = ssl,
        Proxy = new ProxyProtocolOptions { Trusted = [IPNetwork.Parse("127.0.0.1/32")] },
    });

    private static int Listen(TcpServer server) => ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;

    private static Task DescribeAsync(IOStream stream)
    {
        ProxyHeader header = stream.ProxyHeader!;
        return stream.WriteLineAsync($"{stream.RemoteEndPoint} to {header.Destination}, {header.Version}, {stream.RemoteEndPoint!.Equals(header.ProxyEndPoint)}").AsTask();
    }

    private static async Task AssertDescribedAsync(int port, int version, SslClientAuthenticationOptions? ssl)
    {
        await using IOStream client = await ConnectAsync(port);
        EndPoint own = client.LocalEndPoint!;
        IOStream stream = ssl is null ? client : await client.StartTlsAsync(ssl, TestContext.Current.CancellationToken);
        string? line = await stream.ReadLineAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal($"{own} to 127.0.0.1:{port}, {version}, False", line);
        await stream.CloseAsync();
    }

    /// <summary>Connects as soon as the proxy listens.</summary>
    private static async Task<IOStream> ConnectAsync(int port)
    {
        while (true)
        {
            try
            {
                return await IOStream.ConnectAsync("127.0.0.1", port, cancellationToken: TestContext.Current.CancellationToken);
            }
            catch (StreamClosedException)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken); // the proxy says nothing when it is ready
            }
        }
    }
}
