using System.Net;
using System.Net.Sockets;

namespace Waterspout.Interop;

/// <summary>The addresses of a socket's two sides, as reported by the kernel.</summary>
internal static unsafe class SocketAddresses
{
    private const int Largest = 128; // sockaddr_storage
    private const int SizeOfIPv4 = 16;
    private const int SizeOfIPv6 = 28;

    /// <summary>The peer's address; null if there is none.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="wasConnected">There has been a peer. After a reset getpeername fails.</param>
    internal static byte[]? GetPeer(Descriptor fd, bool wasConnected)
    {
        // SAFETY: the buffer and its length are on this stack frame, and the kernel writes at most as much as the length says.
        byte* buffer = stackalloc byte[Largest];
        uint length = Largest;
        if (LibC.getpeername(fd.Number, buffer, &length) == 0) return ToArray(buffer, length);
        if (!wasConnected) return null;
        // SO_PEERNAME rejects a length greater than that of the address.
        if (!TryGetLast(fd, buffer, SizeOfIPv6) && !TryGetLast(fd, buffer, SizeOfIPv4)) return null;
        return ToArray(buffer, IsIPv4(buffer) ? SizeOfIPv4 : (uint)SizeOfIPv6);
    }

    /// <summary>The address of this side; null if the socket has none.</summary>
    internal static byte[]? GetLocal(Descriptor fd)
    {
        // SAFETY: as above.
        byte* buffer = stackalloc byte[Largest];
        uint length = Largest;
        return LibC.getsockname(fd.Number, buffer, &length) == 0 ? ToArray(buffer, length) : null;
    }

    internal static EndPoint? ToEndPoint(byte[]? address)
    {
        if (address is null) return null;
        SocketAddress native = new((AddressFamily)0, address.Length);
        address.CopyTo(native.Buffer.Span);
        return native.Family switch
        {
            AddressFamily.InterNetwork => new IPEndPoint(IPAddress.Any, 0).Create(native),
            AddressFamily.InterNetworkV6 => new IPEndPoint(IPAddress.IPv6Any, 0).Create(native),
            AddressFamily.Unix => new UnixDomainSocketEndPoint("/").Create(native),
            _ => null,
        };
    }

    /// <summary>The address of a Unix socket whose path, or abstract name, is in a field of fixed size.</summary>
    internal static byte[] OfPath(ReadOnlySpan<byte> field)
    {
        // An abstract name begins with a zero byte, and may contain some.
        int end = field[0] == 0 ? field.LastIndexOfAnyExcept((byte)0) + 1 : field.IndexOf((byte)0);
        byte[] address = new byte[sizeof(ushort) + (end < 0 ? field.Length : end)];
        BitConverter.TryWriteBytes(address, (ushort)LibC.AF_UNIX);
        field[..(address.Length - sizeof(ushort))].CopyTo(address.AsSpan(sizeof(ushort)));
        return address;
    }

    private static bool TryGetLast(Descriptor fd, byte* buffer, uint length) =>
        LibC.getsockopt(fd.Number, LibC.SOL_SOCKET, LibC.SO_PEERNAME, (int*)buffer, &length) == 0;

    private static bool IsIPv4(byte* buffer) => *(ushort*)buffer == LibC.AF_INET;

    // A Unix socket may report a length beyond the buffer.
    private static byte[] ToArray(byte* buffer, uint length) => new ReadOnlySpan<byte>(buffer, (int)Math.Min(length, Largest)).ToArray();
}
