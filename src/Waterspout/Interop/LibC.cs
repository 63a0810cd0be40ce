using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Waterspout.Interop;

/// <summary>
/// The C library, with names and arguments as in the manual pages. Every signature is blittable, so a call is a plain native call; nothing
/// here throws, retries or interprets. The typed calls are in the other files of this folder.
/// </summary>
internal static unsafe partial class LibC
{
    internal const int F_SETFD = 2;
    internal const int F_GETFL = 3;
    internal const int F_SETFL = 4;
    internal const int FD_CLOEXEC = 1;
    internal const int F_DUPFD_CLOEXEC = 1030;

    internal const int O_ACCMODE = 3;
    internal const int O_RDONLY = 0;
    internal const int O_WRONLY = 1;
    internal const int O_RDWR = 2;
    internal const int O_NOCTTY = 0x100;
    internal const int O_NONBLOCK = 0x800;
    internal const int O_CLOEXEC = 0x80000;

    // Linux has a different number for each processor family.
    internal static readonly int O_DIRECT = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.Arm or Architecture.Arm64 => 0x10000,
        Architecture.Ppc64le => 0x20000,
        _ => 0x4000,
    };

    internal const int PIPE_BUF = 4096; // the largest packet of a pipe

    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const uint STATX_TYPE = 1;
    internal const uint STATX_INO = 0x100;
    internal const int S_IFMT = 0xF000;
    internal const int S_IFSOCK = 0xC000;
    internal const int S_IFREG = 0x8000;
    internal const int S_IFBLK = 0x6000;
    internal const int S_IFDIR = 0x4000;
    internal const int S_IFCHR = 0x2000;
    internal const uint MEM_MAJOR = 1;
    internal const uint RANDOM_MINOR = 8;
    internal const uint KMSG_MINOR = 11;

    internal const int TERMIOS_LFLAG = 3; // the fourth of the flags at the start of struct termios
    internal const uint ICANON = 2;

    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_NONBLOCK = O_NONBLOCK;
    internal const int SOCK_CLOEXEC = O_CLOEXEC;
    internal const int SHUT_WR = 1;
    internal const int MSG_PEEK = 0x2;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const short POLLHUP = 0x10;
    internal const short POLLRDHUP = 0x2000;
    internal const int SOL_SOCKET = 1;
    internal const int SO_REUSEADDR = 2;
    internal const int SO_TYPE = 3;
    internal const int SO_ERROR = 4;
    internal const int SO_KEEPALIVE = 9;
    internal const int SO_LINGER = 13;
    internal const int SO_REUSEPORT = 15;
    internal const int SO_PEERNAME = 28;
    internal const int SO_ACCEPTCONN = 30;
    internal const int SO_PROTOCOL = 38;
    internal const int SO_DOMAIN = 39;
    internal const int IPPROTO_TCP = 6;
    internal const int IPPROTO_IPV6 = 41;
    internal const int IPV6_V6ONLY = 26;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_KEEPIDLE = 4;
    internal const int TCP_KEEPINTVL = 5;
    internal const int TCP_KEEPCNT = 6;
    internal const int TCP_USER_TIMEOUT = 18;

    internal const nuint SIOCOUTQ = 0x5411;

    internal const int EPOLL_CLOEXEC = O_CLOEXEC;
    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;
    internal const uint EPOLLET = 1u << 31;

    internal const int EFD_NONBLOCK = O_NONBLOCK;
    internal const int EFD_CLOEXEC = O_CLOEXEC;

    internal struct iovec
    {
        internal void* iov_base;
        internal nuint iov_len;
    }

    internal struct msghdr
    {
        internal void* msg_name;
        internal uint msg_namelen;
        internal iovec* msg_iov;
        internal nuint msg_iovlen;
        internal void* msg_control;
        internal nuint msg_controllen;
        internal int msg_flags;
    }

    internal struct linger
    {
        internal int l_onoff;
        internal int l_linger;
    }

    internal struct pollfd
    {
        internal int fd;
        internal short events;
        internal short revents;
    }

    // Unlike stat's, its layout is the same on every architecture. Only the fields used here have names.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct statxbuf
    {
        [FieldOffset(28)]
        internal ushort stx_mode;

        [FieldOffset(32)]
        internal ulong stx_ino;

        [FieldOffset(128)]
        internal uint stx_rdev_major;

        [FieldOffset(132)]
        internal uint stx_rdev_minor;

        [FieldOffset(136)]
        internal uint stx_dev_major;

        [FieldOffset(140)]
        internal uint stx_dev_minor;
    }

    [LibraryImport("libc")]
    internal static partial int kill(int pid, int sig);

    [LibraryImport("libc")]
    internal static partial nint recv(int sockfd, byte* buf, nuint len, int flags);

    [LibraryImport("libc")]
    internal static partial nint send(int sockfd, byte* buf, nuint len, int flags);

    [LibraryImport("libc")]
    internal static partial nint sendmsg(int sockfd, msghdr* msg, int flags);

    [LibraryImport("libc")]
    internal static partial nint read(int fd, byte* buf, nuint count);

    [LibraryImport("libc")]
    internal static partial nint write(int fd, byte* buf, nuint count);

    [LibraryImport("libc")]
    internal static partial nint writev(int fd, iovec* iov, int iovcnt);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string pathname, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int dirfd, string pathname, int flags, uint mask, statxbuf* buf);

    [LibraryImport("libc")]
    internal static partial int close(int fd);

    [LibraryImport("libc")]
    internal static partial int fcntl(int fd, int cmd, nint arg);

    [LibraryImport("libc")]
    internal static partial int isatty(int fd);

    [LibraryImport("libc")]
    internal static partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc")]
    internal static partial int pipe2(int* pipefd, int flags);

    [LibraryImport("libc")]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    internal static partial int socketpair(int domain, int type, int protocol, int* sv);

    [LibraryImport("libc")]
    internal static partial int bind(int sockfd, byte* addr, uint addrlen);

    [LibraryImport("libc")]
    internal static partial int listen(int sockfd, int backlog);

    [LibraryImport("libc")]
    internal static partial int connect(int sockfd, byte* addr, uint addrlen);

    [LibraryImport("libc")]
    internal static partial int accept4(int sockfd, byte* addr, uint* addrlen, int flags);

    [LibraryImport("libc")]
    internal static partial int getpeername(int sockfd, byte* addr, uint* addrlen);

    [LibraryImport("libc")]
    internal static partial int getsockname(int sockfd, byte* addr, uint* addrlen);

    [LibraryImport("libc")]
    internal static partial int shutdown(int sockfd, int how);

    [LibraryImport("libc")]
    internal static partial int getsockopt(int sockfd, int level, int optname, int* optval, uint* optlen);

    [LibraryImport("libc")]
    internal static partial int setsockopt(int sockfd, int level, int optname, int* optval, uint optlen);

    [LibraryImport("libc")]
    internal static partial int epoll_create1(int flags);

    [LibraryImport("libc")]
    internal static partial int epoll_ctl(int epfd, int op, int fd, void* ev);

    [LibraryImport("libc")]
    internal static partial int epoll_wait(int epfd, void* events, int maxevents, int timeout);

    [LibraryImport("libc")]
    internal static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport("libc")]
    internal static partial int eventfd(uint initval, int flags);
}
