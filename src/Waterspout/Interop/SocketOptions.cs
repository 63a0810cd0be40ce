using System.Net.Sockets;

namespace Waterspout.Interop;

/// <summary>Options of sockets, by what they do: their numbers are the system's.</summary>
internal static class SocketOptions
{
    /// <summary>Turns Nagle's algorithm off. Accepted sockets inherit it.</summary>
    internal static void SetNoDelay(Descriptor fd, bool value) => _ = Sockets.SetOption(fd, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, value ? 1 : 0);

    /// <summary>An IPv6 socket accepts no mapped IPv4 connections.</summary>
    internal static void SetIPv6Only(Descriptor fd, bool value) => _ = Sockets.SetOption(fd, LibC.IPPROTO_IPV6, LibC.IPV6_V6ONLY, value ? 1 : 0);

    /// <summary>A port whose old connections are still in TIME_WAIT can be listened on again.</summary>
    internal static void ReuseAddress(Descriptor fd) => _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1);

    /// <summary>Several sockets may listen on the port, and share its connections.</summary>
    internal static void SharePort(Descriptor fd) => _ = Sockets.SetOption(fd, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1);

    /// <summary>
    /// Probes a silent connection after a time, at an interval, and gives it up after a number of probes without an answer.
    /// </summary>
    internal static void SetKeepAlive(Descriptor fd, int seconds, int interval, int retries)
    {
        Set(fd, LibC.IPPROTO_TCP, LibC.TCP_KEEPIDLE, seconds);
        Set(fd, LibC.IPPROTO_TCP, LibC.TCP_KEEPINTVL, interval);
        Set(fd, LibC.IPPROTO_TCP, LibC.TCP_KEEPCNT, retries);
        Set(fd, LibC.SOL_SOCKET, LibC.SO_KEEPALIVE, 1);
    }

    /// <summary>How long sent data may stay unacknowledged.</summary>
    internal static void SetUserTimeout(Descriptor fd, int milliseconds) => Set(fd, LibC.IPPROTO_TCP, LibC.TCP_USER_TIMEOUT, milliseconds);

    /// <summary>The family of addresses that the socket takes. Unspecified if it is none of these.</summary>
    internal static AddressFamily GetFamily(Descriptor fd) => Sockets.GetOption(fd, LibC.SOL_SOCKET, LibC.SO_DOMAIN) switch
    {
        { IsSuccess: true, Value: LibC.AF_INET } => AddressFamily.InterNetwork,
        { IsSuccess: true, Value: LibC.AF_INET6 } => AddressFamily.InterNetworkV6,
        { IsSuccess: true, Value: LibC.AF_UNIX } => AddressFamily.Unix,
        _ => AddressFamily.Unspecified,
    };

    /// <summary>The system's number of a family.</summary>
    internal static int ToDomain(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => LibC.AF_INET,
        AddressFamily.InterNetworkV6 => LibC.AF_INET6,
        AddressFamily.Unix => LibC.AF_UNIX,
        _ => throw new ArgumentException($"{family} is not supported.", nameof(family)),
    };

    private static void Set(Descriptor fd, int level, int name, int value)
    {
        PosixResult result = Sockets.SetOption(fd, level, name, value);
        if (!result.IsSuccess) throw PosixResult.ToSocketException(result.Error);
    }
}
