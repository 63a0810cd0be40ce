using System.Net;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>Which proxies a server accepts connections from: see <see cref="TcpServerOptions.Proxy"/>.</summary>
public sealed record ProxyProtocolOptions
{
    // A text header, which has no length in front, is never longer.
    private const int LongestText = 107;

    /// <summary>
    /// The addresses of the proxies. A connection from any other address is closed, since everyone else could claim any address. Empty by
    /// default. Connections to a Unix socket have no address, and are always trusted: the mode of its file says who may connect.
    /// </summary>
    public IReadOnlyList<IPNetwork> Trusted { get; set; } = [];

    /// <summary>
    /// How long the header may take, from the accept, before the connection is closed. 5 seconds by default;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The most bytes of a header. 4096 by default; at least 107, the longest of version 1. One that says it is longer closes the
    /// connection.
    /// </summary>
    public int MaxHeaderSize { get; set; } = 4096;

    internal bool IsTrusted(EndPoint? proxy)
    {
        if (proxy is not IPEndPoint { Address: var address }) return proxy is System.Net.Sockets.UnixDomainSocketEndPoint;
        // A listener of both families shows IPv4 addresses as IPv6 ones.
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return Trusted.Any(network => network.Contains(address));
    }

    internal void Validate(string parameter)
    {
        OptionCheck.NotNull(Trusted, parameter);
        OptionCheck.Positive(HeaderTimeout, parameter);
        if (MaxHeaderSize < LongestText)
            throw new ArgumentOutOfRangeException(parameter, MaxHeaderSize, $"{nameof(MaxHeaderSize)} must be at least {LongestText}.");
    }
}
