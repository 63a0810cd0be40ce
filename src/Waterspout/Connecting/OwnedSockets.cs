using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Waterspout.Interop;

namespace Waterspout.Connecting;

/// <summary>
/// The <see cref="Socket"/> objects that belong to streams, and to servers that listen on them. Each has its own descriptor for the same
/// socket.
/// </summary>
/// <remarks>
/// A reference to the handle would keep the number too, but would make the other owner's Dispose wait until the stream has closed.
/// </remarks>
internal static class OwnedSockets
{
    private static readonly ConditionalWeakTable<Socket, object> s_owned = [];
    private static readonly object s_mark = new();

    /// <summary>A new descriptor for the socket, owned by the caller from now on.</summary>
    /// <exception cref="InvalidOperationException">The socket already belongs to a stream or a server.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    internal static Descriptor Take(Socket socket)
    {
        if (!s_owned.TryAdd(socket, s_mark)) throw new InvalidOperationException("The socket belongs to a stream or a server already.");
        bool isHeld = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref isHeld);
            ObjectDisposedException.ThrowIf(socket.SafeHandle.IsInvalid, socket);
            return FileDescriptors.Duplicate(Descriptor.Of(socket.SafeHandle));
        }
        catch
        {
            GiveBack(socket);
            throw;
        }
        finally
        {
            if (isHeld) socket.SafeHandle.DangerousRelease();
        }
    }

    /// <summary>Releases the socket, since what would have owned it could not be created.</summary>
    internal static void GiveBack(Socket socket) => s_owned.Remove(socket);

    /// <summary>Creates a Socket object for a stream that was created without one.</summary>
    internal static Socket Make(Descriptor fd)
    {
        Socket socket = FileDescriptors.HandOver(
            FileDescriptors.Duplicate(fd), static copy => new Socket(copy.ToSocketHandle()));
        s_owned.Add(socket, s_mark);
        SuppressFinalize(socket);
        return socket;
    }

    /// <summary>The socket's own finalizer would turn the close into a reset. The stream's finalizer closes both.</summary>
    internal static void SuppressFinalize(Socket socket)
    {
        GC.SuppressFinalize(socket);
        GC.SuppressFinalize(socket.SafeHandle);
    }
}
