using Waterspout.Errors;

namespace Waterspout;

public partial class IOStream
{
    /// <summary>
    /// What the proxy in front of a server has said about the connection: see <see cref="TcpServerOptions.Proxy"/>. Null for other streams.
    /// May be read from any thread.
    /// </summary>
    public ProxyHeader? ProxyHeader => _details?.Proxy;

    /// <summary>From now on the peer's address is the client's.</summary>
    internal void SetProxyHeader(ProxyHeader header) => Details.Proxy = header with { ProxyEndPoint = RemoteEndPoint };

    internal void CloseForProxy(CloseReason reason, ProxyHeaderException error) => CloseNow(reason, error);
}
