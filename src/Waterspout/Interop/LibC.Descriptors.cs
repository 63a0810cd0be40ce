using System.Runtime.InteropServices;

namespace Waterspout.Interop;

// What travels beside the bytes of a Unix socket.
internal static unsafe partial class LibC
{
    internal const int SCM_RIGHTS = 1;
    internal const int SO_PEERCRED = 17;
    internal const int MSG_CTRUNC = 0x8;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;

    internal struct cmsghdr
    {
        internal nuint cmsg_len;
        internal int cmsg_level;
        internal int cmsg_type;
    }

    internal struct ucred
    {
        internal int pid;
        internal uint uid;
        internal uint gid;
    }

    [LibraryImport("libc")]
    internal static partial nint recvmsg(int sockfd, msghdr* msg, int flags);
}
