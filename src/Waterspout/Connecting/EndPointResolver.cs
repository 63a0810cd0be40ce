using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Waterspout.Diagnostics;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>Turns a user's address into addresses that a socket can connect to.</summary>
internal static class EndPointResolver
{
    /// <summary>The addresses of a name, or the address itself if it is one already.</summary>
    /// <exception cref="SocketException">The name is unknown.</exception>
    internal static async Task<IPAddress[]> ResolveAsync(
        string host, AddressFamily family, IOLoop loop, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out IPAddress? address)) return [address];
        using Activity? activity = Tracing.Resolve(host);
        Task<IPAddress[]> lookup = (loop.Options.Lookup ?? NameLookup.RunAsync)(host, family, cancellationToken);
        try
        {
            // getaddrinfo cannot be stopped once it has begun. Its answer is then ignored.
            IPAddress[] found = await lookup.WaitAsync(cancellationToken);
            activity.Answer(found);
            return found;
        }
        catch (Exception error)
        {
            if (error is OperationCanceledException) lookup.IgnoreFailure();
            activity?.Fail(error);
            throw;
        }
    }

    /// <summary>The addresses of a name: at least one.</summary>
    /// <exception cref="SocketException">The name is unknown, or has no address. The message contains the name.</exception>
    internal static async Task<IPAddress[]> ResolveAsync(
        DnsEndPoint name, AddressFamily family, IOLoop loop, CancellationToken cancellationToken)
    {
        try
        {
            IPAddress[] addresses = await ResolveAsync(name.Host, family, loop, cancellationToken);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.NoData);
        }
        catch (SocketException error)
        {
            throw AddressError.Of(error, name);
        }
    }

    /// <summary>The addresses of a name that a socket of this family can reach.</summary>
    /// <exception cref="SocketException">The name is unknown, or has no address of the socket's family.</exception>
    internal static async Task<IReadOnlyList<EndPoint>> ResolveAsync(
        DnsEndPoint name, Descriptor fd, IOLoop loop, CancellationToken cancellationToken)
    {
        bool isIPv6 = IsIPv6(fd);
        AddressFamily family = isIPv6 ? AddressFamily.Unspecified : AddressFamily.InterNetwork;
        IPAddress[] addresses = await ResolveAsync(name, family, loop, cancellationToken);
        return [.. addresses.Select(found => ToFamily(new IPEndPoint(found, name.Port), isIPv6))];
    }

    /// <summary>The address in the form that a socket of this family accepts.</summary>
    internal static EndPoint ToFamily(EndPoint address, Descriptor fd) => address is IPEndPoint ip ? ToFamily(ip, IsIPv6(fd)) : address;

    /// <summary>Whether the address and the socket are both IP, or both Unix.</summary>
    internal static bool IsOfFamily(EndPoint address, Descriptor fd) =>
        (address is IPEndPoint) == (SocketOptions.GetFamily(fd) != AddressFamily.Unix);

    private static bool IsIPv6(Descriptor fd) => SocketOptions.GetFamily(fd) == AddressFamily.InterNetworkV6;

    // A dual-mode socket reaches IPv4 through mapped addresses.
    private static IPEndPoint ToFamily(IPEndPoint address, bool isIPv6) =>
        isIPv6 && address.AddressFamily == AddressFamily.InterNetwork ? new IPEndPoint(address.Address.MapToIPv6(), address.Port) : address;
}
