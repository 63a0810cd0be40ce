using System.Collections.Frozen;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Waterspout;

namespace Snippets;

internal static class Servers
{
    internal static TcpServer LimitByAddress(Func<IOStream, CancellationToken, Task> handle)
    {
        AddressLimit limit = new(100);
        TcpServer server = new(handle, new TcpServerOptions { OnConnection = limit.Enter, OnConnectionEnd = limit.Leave });
        return server;
    }

    internal static async Task OnLoops(Func<IOStream, CancellationToken, Task> handle, ILoggerFactory loggers)
    {
        using IOLoopGroup loops = new(Environment.ProcessorCount, new IOLoopOptions { LoggerFactory = loggers }); // one is a group too: new(1)
        await using TcpServer server = new(handle, new TcpServerOptions { Loops = loops });
        await server.ListenAsync(8080);
    }

    internal static TcpServer ConfigureSockets(Func<IOStream, CancellationToken, Task> handle)
    {
        TcpServer server = new(handle, new TcpServerOptions
        {
            ConfigureSocket = static socket => socket.ReceiveBufferSize = 1_000_000, // accepted sockets inherit it
            Stream = new IOStreamOptions
            {
                KeepAlive = new KeepAlive { Time = TimeSpan.FromSeconds(30) }, // the rest by default
                UserTimeout = TimeSpan.FromSeconds(20),
            },
        });
        return server;
    }
}

internal static class Listening
{
    internal static void OnGivenSockets(TcpServer server, Socket bound)
    {
        server.Listen(bound);
        foreach (Socket socket in SystemdSockets.Take("web.socket")) server.Listen(socket); // none if systemd has not started this process
    }

    internal static async Task<TcpServer> OnUnixSocket(Func<IOStream, CancellationToken, Task> handle, string host)
    {
        TcpServer server = new(handle, new TcpServerOptions { UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite });
        server.Listen(new UnixDomainSocketEndPoint("/run/example/control.sock")); // for the user and the group
        await server.ListenAsync(8080, host);                                     // a name is resolved without blocking
        return server;
    }

    internal static async Task<byte[]> AcceptOne(IOStream control, CancellationToken cancellationToken)
    {
        await using StreamListener listener = new(new IPEndPoint(IPAddress.Loopback, 0));
        await control.WriteLineAsync($"PORT {listener.LocalEndPoint}", cancellationToken: CancellationToken.None);
        await using IOStream data = await listener.AcceptAsync(cancellationToken);
        return await data.ReadUntilCloseAsync(cancellationToken);
    }
}

internal sealed class Names
{
    private volatile FrozenDictionary<string, SslServerAuthenticationOptions> _byName = FrozenDictionary<string, SslServerAuthenticationOptions>.Empty;

    internal TcpServer MakeServer(Func<IOStream, CancellationToken, Task> handle)
    {
        TcpServer server = new(handle, new TcpServerOptions
        {
            SelectSsl = (hello, _) => _byName.TryGetValue(hello.ServerName, out SslServerAuthenticationOptions? options)
                ? ValueTask.FromResult(options)
                : throw new AuthenticationException($"No certificate for '{hello.ServerName}'."),
        });
        return server;
    }

    // At the start, and whenever certificates have been renewed. New connections use the new ones.
    internal void Load(IEnumerable<(string Name, string File, string Key)> certificates) => _byName = certificates.ToFrozenDictionary(
        static each => each.Name,
        static each => new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(each.File, each.Key), null, offline: true),
        },
        StringComparer.OrdinalIgnoreCase);
}

internal static class BehindProxy
{
    internal static TcpServer MakeServer()
    {
        TcpServer server = new(HandleAsync, new TcpServerOptions
        {
            Proxy = new ProxyProtocolOptions { Trusted = [IPNetwork.Parse("10.0.0.0/24"), IPNetwork.Parse("127.0.0.1/32")] },
        });
        return server;
    }

    private static async Task HandleAsync(IOStream stream, CancellationToken stopping)
    {
        EndPoint? client = stream.RemoteEndPoint;
        EndPoint? proxy = stream.ProxyHeader!.ProxyEndPoint;
        ReadOnlyMemory<byte>? tlsName = stream.ProxyHeader.FindTlv(0x02); // PP2_TYPE_AUTHORITY
        await stream.WriteLineAsync($"{client} through {proxy}, for {tlsName?.Length} bytes", cancellationToken: CancellationToken.None);
    }
}

internal sealed class AddressLimit(int limit)
{
    private readonly Dictionary<IPAddress, int> _open = [];

    internal bool Enter(ConnectionRequest request)
    {
        lock (_open)
        {
            ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_open, AddressOf(request), out _);
            if (count == limit) return false;
            count++;
            return true;
        }
    }

    internal void Leave(ConnectionRequest request)
    {
        lock (_open)
            if (--CollectionsMarshal.GetValueRefOrNullRef(_open, AddressOf(request)) == 0) _open.Remove(AddressOf(request));
    }

    private static IPAddress AddressOf(ConnectionRequest request) => (request.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
}
