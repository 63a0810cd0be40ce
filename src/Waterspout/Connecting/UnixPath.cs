using System.Net;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>The file that a listening Unix socket has, which is removed if it is still the one that was made.</summary>
internal sealed class UnixPath
{
    private readonly string _path;
    private readonly FileIdentity? _made;

    // Behind the bind. The working directory may be another by the time the file is removed.
    private UnixPath(string path)
    {
        _path = Path.GetFullPath(path);
        _made = FileDescriptors.Identify(_path);
    }

    /// <summary>The file that has been made by binding to an address; null for one that has no file.</summary>
    internal static UnixPath? OfBound(EndPoint endPoint) => PathOf(endPoint) is { } path ? new UnixPath(path) : null;

    /// <summary>
    /// Removes the file. In front of the close: while the socket is open, no other file can have got its number.
    /// </summary>
    internal void Remove()
    {
        if (_made is not null && FileDescriptors.Identify(_path) == _made) TryDelete(_path);
    }

    /// <summary>Removes a socket that nobody has any more, so that its path can be bound.</summary>
    /// <exception cref="SocketException">There is something else.</exception>
    internal static void RemoveDead(EndPoint endPoint)
    {
        if (PathOf(endPoint) is not { } path || !Path.Exists(path)) return;
        FileIdentity? found = FileDescriptors.Identify(path);
        // Connecting to a file of another kind is refused just as that to a dead socket.
        if (found is not { IsSocket: true })
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"'{path}' exists, and is not a socket. It is left as it is.");
        if (IsDead(endPoint) && FileDescriptors.Identify(path) == found) TryDelete(path);
    }

    // Where the folder does not allow it, a stop goes on all the same, and a bind says that the path is in use.
    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }

    // By a datagram socket: the kernel refuses to connect it to a stream socket in one way where somebody has that, and in another where nobody
    // has. So nobody is connected to, and a full backlog does not matter. A datagram socket that lives is connected to, and does not notice.
    private static bool IsDead(EndPoint endPoint)
    {
        int probe = Sockets.Create(LibC.AF_UNIX, LibC.SOCK_DGRAM);
        Errno error = Sockets.Connect(probe, endPoint.Serialize()).Error;
        FileDescriptors.Close(probe);
        return error == Errno.ECONNREFUSED;
    }

    // Not by ToString: that shows the abstract name, which begins with a zero and has no file, as a path that begins with @.
    private static string? PathOf(EndPoint endPoint)
    {
        if (endPoint.AddressFamily != AddressFamily.Unix) return null;
        SocketAddress address = endPoint.Serialize();
        int familySize = sizeof(ushort);
        return address.Size > familySize && address[familySize] != 0 ? endPoint.ToString() : null;
    }
}
