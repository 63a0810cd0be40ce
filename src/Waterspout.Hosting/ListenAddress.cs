using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Waterspout.Hosting;

/// <summary>An address as it is written in the configuration.</summary>
internal static class ListenAddress
{
    private const string Unix = "unix:";
    private const string Systemd = "systemd:";

    internal static async Task<EndPoint[]> ListenAsync(TcpServer server, string address, CancellationToken cancellationToken)
    {
        if (address.StartsWith(Unix, StringComparison.Ordinal)) return [server.Listen(ParseUnix(address[Unix.Length..]))];
        if (address.StartsWith(Systemd, StringComparison.Ordinal)) return ListenOnInherited(server, address[Systemd.Length..]);
        if (IPEndPoint.TryParse(address, out IPEndPoint? endPoint) && HasPort(address)) return [server.Listen(endPoint)];
        (string? host, int port) = ParseName(address);
        return [await server.ListenAsync(port, host, cancellationToken).ConfigureAwait(false)];
    }

    private static UnixDomainSocketEndPoint ParseUnix(string path) => new(path.StartsWith('@') ? $"\0{path[1..]}" : path);

    private static EndPoint[] ListenOnInherited(TcpServer server, string name)
    {
        Socket[] sockets = [.. SystemdSockets.Take(name)];
        if (sockets.Length == 0) throw new InvalidOperationException($"systemd has opened no socket named '{name}'.");
        return [.. sockets.Select(server.Listen)];
    }

    private static (string? Host, int Port) ParseName(string address)
    {
        int colon = address.LastIndexOf(':');
        // A second colon is part of an IPv6 address without a port, which would otherwise pass for a name.
        if (colon > 0 && address.IndexOf(':') == colon && ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return (address[..colon] is "*" ? null : address[..colon], port);
        throw new InvalidOperationException($"'{address}' is not an address to listen on. Expected is '127.0.0.1:8888', '*:8888', 'name:8888', 'unix:/path' or 'systemd:name'.");
    }

    // IPEndPoint.TryParse accepts an address without a port, and takes 0 for it.
    private static bool HasPort(string address) => address.LastIndexOf(':') is var colon and > 0 && (address[colon - 1] == ']' || address.IndexOf(':') == colon);
}
