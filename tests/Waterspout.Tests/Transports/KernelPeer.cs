using System.Runtime.CompilerServices;
using System.Text;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>A peer that uses what streams do not: packets, messages, descriptors in messages.</summary>
internal static unsafe class KernelPeer
{
    internal const int MSG_OOB = 1;

    private const int SOCK_SEQPACKET = 5;
    private const int SCM_RIGHTS = 1;

    internal static (Descriptor Reader, Descriptor Writer) CreatePacketPipe()
    {
        int* ends = stackalloc int[2];
        PosixResult.From(LibC.pipe2(ends, LibC.O_CLOEXEC | LibC.O_DIRECT)).ValueOrThrow("pipe2");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    internal static (Descriptor, Descriptor) CreateSeqPacketPair()
    {
        int* ends = stackalloc int[2];
        PosixResult.From(LibC.socketpair(LibC.AF_UNIX, SOCK_SEQPACKET | LibC.SOCK_CLOEXEC, 0, ends)).ValueOrThrow("socketpair");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>Writes each piece with its own call.</summary>
    internal static void Write(Descriptor fd, params ReadOnlySpan<string> pieces)
    {
        foreach (string piece in pieces) Assert.Equal(piece.Length, FileDescriptors.Write(fd, Encoding.ASCII.GetBytes(piece)).Value);
    }

    internal static void Send(Descriptor fd, string text) => Assert.True(TrySend(fd, text, 0));

    internal static bool TrySend(Descriptor fd, string text, int flags)
    {
        fixed (byte* data = Encoding.ASCII.GetBytes(text)) return LibC.send(fd.Number, data, (nuint)text.Length, flags) == text.Length;
    }

    /// <summary>Sends text with a descriptor attached.</summary>
    internal static void SendDescriptor(Descriptor fd, string text, Descriptor carried)
    {
        fixed (byte* data = Encoding.ASCII.GetBytes(text))
        {
            LibC.iovec vector = new() { iov_base = data, iov_len = (nuint)text.Length };
            // struct cmsghdr: a length, a level, a type, the data.
            byte* control = stackalloc byte[24];
            *(nuint*)control = 20;
            *(int*)(control + 8) = LibC.SOL_SOCKET;
            *(int*)(control + 12) = SCM_RIGHTS;
            *(int*)(control + 16) = carried.Number;
            LibC.msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            message.msg_control = control;
            message.msg_controllen = 24;
            Assert.Equal(text.Length, LibC.sendmsg(fd.Number, (LibC.msghdr*)Unsafe.AsPointer(ref message), 0));
        }
    }
}
