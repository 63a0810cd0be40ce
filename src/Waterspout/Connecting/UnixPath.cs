using System.Net;
using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>The file of a listening Unix socket. It is removed if it is still the one that was created.</summary>
internal sealed class UnixPath
{
    private readonly string _path;
    private readonly FileIdentity? _made;

    // After the bind. The working directory may have changed by the time the file is removed.
    private UnixPath(string path)
    {
        _path = Path.GetFullPath(path);
        _made = FileDescriptors.Identify(_path);
    }

    /// <summary>The file created by binding to an address; null if the address has none.</summary>
    internal static UnixPath? OfBound(EndPoint endPoint) => PathOf(endPoint) is { } path ? new UnixPath(path) : null;

    internal void SetMode(UnixFileMode mode)
    {
        try
        {
            File.SetUnixFileMode(_path, mode);
        }
        catch
        {
            Remove();
            throw;
        }
    }

    /// <summary>
    /// Removes the file, before the socket is closed: while the socket is open, no other file can have the same inode number.
    /// </summary>
    internal void Remove()
    {
        if (_made is not null && FileDescriptors.Identify(_path) == _made) TryDelete(_path);
    }

    /// <summary>Removes a socket that no longer has a listener, so that its path can be bound.</summary>
    /// <exception cref="SocketException">The path is that of another kind of file.</exception>
    internal static void RemoveDead(EndPoint endPoint)
    {
        if (PathOf(endPoint) is not { } path || !Path.Exists(path)) return;
        FileIdentity? found = FileDescriptors.Identify(path);
        // A connect to another kind of file is refused with the same error as one to a dead socket.
        if (found is not { IsSocket: true })
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"'{path}' exists, and is not a socket. It is left as it is.");
        if (IsDead(endPoint) && FileDescriptors.Identify(path) == found) TryDelete(path);
    }

    // If the folder does not allow it, a stop continues, and a bind reports that the path is in use.
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

    // With a datagram socket: the kernel refuses to connect it to a stream socket with one error if that has a listener, and with another
    // if it has none. So no listener is connected to, and a full backlog does not matter. A live datagram socket is connected to, and does
    // not notice.
    private static bool IsDead(EndPoint endPoint)
    {
        Descriptor probe = Sockets.CreateDatagram(AddressFamily.Unix);
        PosixResult result = Sockets.Connect(probe, endPoint.Serialize());
        FileDescriptors.Close(probe);
        return result.IsRefused;
    }

    // Not by ToString alone: it shows an abstract name, which begins with a zero byte and has no file, as a path that begins with @.
    private static string? PathOf(EndPoint endPoint)
    {
        if (endPoint.AddressFamily != AddressFamily.Unix) return null;
        SocketAddress address = endPoint.Serialize();
        int familySize = sizeof(ushort);
        return address.Size > familySize && address[familySize] != 0 ? endPoint.ToString() : null;
    }
}
