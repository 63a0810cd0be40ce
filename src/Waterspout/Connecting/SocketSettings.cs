using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>Settings of the sockets that the library creates or takes over.</summary>
internal static class SocketSettings
{
    /// <summary>Sets what the options say, on TCP. Accepted sockets inherit it from the listening one.</summary>
    internal static void Apply(Descriptor fd, IOStreamOptions options)
    {
        if (options is { KeepAlive: null, UserTimeout: null } || !Sockets.IsTcp(fd)) return;
        if (options.KeepAlive is { } keepAlive)
            SocketOptions.SetKeepAlive(fd, ToSeconds(keepAlive.Time), ToSeconds(keepAlive.Interval), keepAlive.Retries);
        if (options.UserTimeout is { } time) SocketOptions.SetUserTimeout(fd, (int)Math.Ceiling(time.TotalMilliseconds));
    }

    /// <summary>Runs a user's hook. The socket that it gets has its own descriptor, so that it can close nothing but that.</summary>
    internal static void Configure(Descriptor fd, Action<Socket>? hook)
    {
        if (hook is null) return;
        using Socket socket = OwnedSockets.Make(fd);
        hook(socket);
        // All descriptors of a socket have one mode, which the hook may have changed.
        FileDescriptors.SetNonBlocking(fd);
    }

    private static int ToSeconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
