using System.Net;
using System.Net.Sockets;

namespace Waterspout.Connecting;

/// <summary>Errors that name the address they belong to.</summary>
internal static class AddressError
{
    internal static SocketException Of(SocketException error, EndPoint address) =>
        new((int)error.SocketErrorCode, $"{error.Message}: {Describe(address)}");

    /// <summary>The address as its user would write it.</summary>
    internal static string Describe(EndPoint address) => address switch
    {
        IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped => new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port).ToString(),
        DnsEndPoint name => $"{name.Host}:{name.Port}",
        _ => address.ToString()!,
    };
}
