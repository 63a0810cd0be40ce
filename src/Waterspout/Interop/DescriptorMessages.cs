using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>Descriptors that travel beside the bytes of a Unix socket (SCM_RIGHTS), and the peer's credentials.</summary>
internal static unsafe class DescriptorMessages
{
    /// <summary>The most descriptors that one message takes: SCM_MAX_FD.</summary>
    internal const int MostAtOnce = 253;

    // Room beside them for what else an option of the socket may add to a message: credentials, a security label.
    private const int Others = 512;

    private static readonly int s_header = Align(sizeof(LibC.cmsghdr));

    /// <summary>Sends data with descriptors beside its first byte.</summary>
    internal static PosixResult Send(Descriptor fd, ReadOnlySpan<byte> data, ReadOnlySpan<int> descriptors)
    {
        // SAFETY: data is pinned for the call; the vector, the header and the control data are on this stack frame, and the control data
        // has room for as many descriptors as the callers check.
        byte* control = stackalloc byte[s_header + Align(descriptors.Length * sizeof(int))];
        LibC.cmsghdr* header = (LibC.cmsghdr*)control;
        header->cmsg_len = (nuint)(s_header + (descriptors.Length * sizeof(int)));
        header->cmsg_level = LibC.SOL_SOCKET;
        header->cmsg_type = LibC.SCM_RIGHTS;
        descriptors.CopyTo(new Span<int>(control + s_header, descriptors.Length));
        fixed (byte* start = data)
        {
            LibC.iovec vector = new() { iov_base = start, iov_len = (nuint)data.Length };
            LibC.msghdr message = MessageOf(&vector, control, s_header + Align(descriptors.Length * sizeof(int)));
            nint n;
            do n = LibC.sendmsg(fd.Number, &message, LibC.MSG_NOSIGNAL | LibC.MSG_DONTWAIT);
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            return PosixResult.From(n);
        }
    }

    /// <summary>Receives data, and the descriptors beside it. One receive ends before the bytes that have the next ones.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="buffer">For the data.</param>
    /// <param name="descriptors">Owned by the caller, and closed on exec. Empty nearly always.</param>
    /// <param name="areSomeLost">The system could not install all of them: this process has too many open files.</param>
    internal static PosixResult Receive(Descriptor fd, Span<byte> buffer, out int[] descriptors, out bool areSomeLost)
    {
        // SAFETY: as above. The kernel writes at most as much control data as it is offered, and reports how much that was.
        int size = s_header + Align(MostAtOnce * sizeof(int)) + Others;
        byte* control = stackalloc byte[size];
        fixed (byte* start = buffer)
        {
            LibC.iovec vector = new() { iov_base = start, iov_len = (nuint)buffer.Length };
            LibC.msghdr message;
            nint n;
            do
            {
                message = MessageOf(&vector, control, size);
                n = LibC.recvmsg(fd.Number, &message, LibC.MSG_DONTWAIT | LibC.MSG_CMSG_CLOEXEC);
            }
            while (n < 0 && Marshal.GetLastSystemError() == (int)Errno.EINTR);
            // errno first: what follows may make other calls.
            PosixResult result = PosixResult.From(n);
            bool hasControl = result.IsSuccess && message.msg_controllen > 0;
            descriptors = hasControl ? Collect(new ReadOnlySpan<byte>(control, (int)message.msg_controllen)) : [];
            areSomeLost = result.IsSuccess && (message.msg_flags & LibC.MSG_CTRUNC) != 0;
            return result;
        }
    }

    /// <summary>Who was on the other side of a Unix socket when it was connected.</summary>
    internal static PosixResult GetPeer(Descriptor fd, out (int Process, uint User, uint Group) peer)
    {
        // SAFETY: the structure and its length are on this stack frame.
        LibC.ucred native = default;
        uint length = (uint)sizeof(LibC.ucred);
        PosixResult result = PosixResult.From(LibC.getsockopt(fd.Number, LibC.SOL_SOCKET, LibC.SO_PEERCRED, (int*)&native, &length));
        peer = (native.pid, native.uid, native.gid);
        return result;
    }

    private static LibC.msghdr MessageOf(LibC.iovec* vector, byte* control, int length) => new()
    {
        msg_iov = vector,
        msg_iovlen = 1,
        msg_control = control,
        msg_controllen = (nuint)length,
    };

    // The kernel puts the descriptors of a message into one part; other parts stand before or after it.
    private static int[] Collect(ReadOnlySpan<byte> control)
    {
        List<int> found = [];
        while (control.Length >= s_header)
        {
            LibC.cmsghdr header = MemoryMarshal.Read<LibC.cmsghdr>(control);
            int length = (int)Math.Min(header.cmsg_len, (nuint)control.Length);
            if (length < s_header) break;
            bool isDescriptors = header is { cmsg_level: LibC.SOL_SOCKET, cmsg_type: LibC.SCM_RIGHTS };
            if (isDescriptors) found.AddRange(MemoryMarshal.Cast<byte, int>(control[s_header..length]));
            control = control[Math.Min(Align(length), control.Length)..];
        }

        return [.. found];
    }

    private static int Align(int length) => (length + sizeof(nuint) - 1) & ~(sizeof(nuint) - 1);
}
