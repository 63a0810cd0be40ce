using System.Net;
using System.Net.Sockets;

namespace Waterspout.Connecting;

/// <summary>Errors of an address, which say which one it was.</summary>
internal static class AddressError
{
    internal static SocketException Of(SocketException error, EndPoint address) =>
        new((int)error.SocketErrorCode, $"{error.Message}: {Describe(address)}");

    /// <summary>The address as whoever gave it would write it.</summary>
    internal static string Describe(EndPoint address) => address switch
    {
        IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped => new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port).ToString(),
        DnsEndPoint name => $"{name.Host}:{name.Port}",
        _ => address.ToString()!,
    };
}
