using System.Net;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>Turns an address as users give it into those that a socket can be connected to.</summary>
internal static class EndPointResolver
{
    /// <exception cref="SocketException">The name is unknown, or has no address of the socket's family.</exception>
    internal static async ValueTask<IReadOnlyList<EndPoint>> ResolveAsync(EndPoint address, int fd, CancellationToken cancellationToken)
    {
        bool isIPv6 = Sockets.GetOption(fd, LibC.SOL_SOCKET, LibC.SO_DOMAIN) is { IsSuccess: true, Value: LibC.AF_INET6 };
        if (address is IPEndPoint ip) return [ToFamily(ip, isIPv6)];
        if (address is not DnsEndPoint name) return [address];

        IPAddress[] addresses = await Dns.GetHostAddressesAsync(name.Host, isIPv6 ? AddressFamily.Unspecified : AddressFamily.InterNetwork, cancellationToken);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.NoData);
        return [.. addresses.Select(found => ToFamily(new IPEndPoint(found, name.Port), isIPv6))];
    }

    // A dual-mode socket reaches IPv4 by mapped addresses.
    private static IPEndPoint ToFamily(IPEndPoint address, bool isIPv6) =>
        isIPv6 && address.AddressFamily == AddressFamily.InterNetwork ? new IPEndPoint(address.Address.MapToIPv6(), address.Port) : address;
}
