using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>The result of a libc call: a value, or the error number from errno.</summary>
/// <remarks>Stored as the kernel itself reports it: zero or more is the value, less is the negated errno.</remarks>
internal readonly struct PosixResult
{
    private readonly nint _value;

    private PosixResult(nint value) => _value = value;

    public int Value
    {
        get
        {
            Debug.Assert(IsSuccess, "A failed call has no value.");
            return (int)_value;
        }
    }

    /// <summary>The value of a call that opens something.</summary>
    public Descriptor Descriptor => new(Value);

    public bool IsSuccess => _value >= 0;

    public Errno Error => IsSuccess ? 0 : (Errno)(-_value);

    public bool WouldBlock => Error == Errno.EAGAIN;

    /// <summary>The system had no memory for the call. It may have later, but has no event for that.</summary>
    public bool IsShortOfMemory => Error is Errno.ENOBUFS or Errno.ENOMEM;

    /// <summary>A connect has begun, and an event says when it is done.</summary>
    public bool IsInProgress => Error == Errno.EINPROGRESS;

    /// <summary>The socket is not connected.</summary>
    public bool IsNotConnected => Error == Errno.ENOTCONN;

    /// <summary>Nothing accepts connections at the address.</summary>
    public bool IsRefused => Error == Errno.ECONNREFUSED;

    /// <summary>The connection was broken off on this side.</summary>
    public bool IsAborted => Error == Errno.ECONNABORTED;

    /// <summary>The kernel does not take such an argument.</summary>
    public bool IsInvalid => Error == Errno.EINVAL;

    /// <summary>The path, or a folder of it, does not exist.</summary>
    public bool HasNoPath => Error == Errno.ENOENT;

    /// <summary>What a pseudo-terminal returns when its other side has closed.</summary>
    public bool IsInputOutputError => Error == Errno.EIO;

    /// <summary>The failure of a connect to an address of another family than the socket's.</summary>
    public static PosixResult WrongFamily => Failure(Errno.EAFNOSUPPORT);

    // errno is read only on failure. SetLastError = true would read and store it on every call, which costs 11 ns of a 360 ns recv. The
    // runtime keeps errno intact on the way back from a call; the code generated for SetLastError relies on that too.
    public static PosixResult From(nint returned) =>
        returned >= 0 ? new PosixResult(returned) : new PosixResult(-Marshal.GetLastSystemError());

    public static PosixResult Failure(Errno error) => new(-(int)error);

    public int ValueOrThrow(string call) => IsSuccess ? (int)_value : throw ToException(Error, call);

    public Descriptor DescriptorOrThrow(string call) => new(ValueOrThrow(call));

    /// <summary>The exception for an error of a descriptor that is not a socket.</summary>
    public static IOException ToException(Errno error, string call) =>
        new($"{call}: {Marshal.GetPInvokeErrorMessage((int)error)} ({error})", new Win32Exception((int)error));

    /// <summary>The exception for a write that has no reader.</summary>
    public static IOException NoReader(string call) => ToException(Errno.EPIPE, call);

    /// <summary>The exception that <see cref="NoReader"/> creates.</summary>
    public static bool IsNoReader(IOException error) => error.InnerException is Win32Exception { NativeErrorCode: (int)Errno.EPIPE };

    /// <summary>
    /// The exception for a socket error: the platform-neutral code that .NET users compare with, and the system's own text.
    /// </summary>
    public static SocketException ToSocketException(Errno error) =>
        new((int)ToSocketError(error), Marshal.GetPInvokeErrorMessage((int)error));

    // As in .NET's own sockets, except for ENOENT.
    private static SocketError ToSocketError(Errno error) => error switch
    {
        Errno.ECONNREFUSED => SocketError.ConnectionRefused,
        Errno.ENOENT => SocketError.ConnectionRefused, // a Unix socket's path without a listener
        Errno.ECONNRESET => SocketError.ConnectionReset,
        Errno.EPIPE => SocketError.Shutdown,
        Errno.ESHUTDOWN => SocketError.Disconnecting,
        Errno.ECONNABORTED => SocketError.ConnectionAborted,
        Errno.ETIMEDOUT => SocketError.TimedOut,
        Errno.EHOSTUNREACH => SocketError.HostUnreachable,
        Errno.EHOSTDOWN => SocketError.HostDown,
        Errno.ENXIO => SocketError.HostNotFound,
        Errno.ENETUNREACH => SocketError.NetworkUnreachable,
        Errno.ENETDOWN => SocketError.NetworkDown,
        Errno.ENETRESET => SocketError.NetworkReset,
        Errno.EADDRINUSE => SocketError.AddressAlreadyInUse,
        Errno.EADDRNOTAVAIL => SocketError.AddressNotAvailable,
        Errno.EAFNOSUPPORT => SocketError.AddressFamilyNotSupported,
        Errno.EPFNOSUPPORT => SocketError.ProtocolFamilyNotSupported,
        Errno.EPROTONOSUPPORT => SocketError.ProtocolNotSupported,
        Errno.EPROTOTYPE => SocketError.ProtocolType,
        Errno.ESOCKTNOSUPPORT => SocketError.SocketNotSupported,
        Errno.ENOPROTOOPT => SocketError.ProtocolOption,
        Errno.EDESTADDRREQ => SocketError.DestinationAddressRequired,
        Errno.EMSGSIZE => SocketError.MessageSize,
        Errno.EINVAL => SocketError.InvalidArgument,
        Errno.EFAULT => SocketError.Fault,
        Errno.EINTR => SocketError.Interrupted,
        Errno.EAGAIN => SocketError.WouldBlock,
        Errno.EINPROGRESS => SocketError.InProgress,
        Errno.EALREADY => SocketError.AlreadyInProgress,
        Errno.EMFILE or Errno.ENFILE => SocketError.TooManyOpenSockets,
        Errno.ENOBUFS or Errno.ENOMEM => SocketError.NoBufferSpaceAvailable,
        Errno.EISCONN => SocketError.IsConnected,
        Errno.ENOTCONN => SocketError.NotConnected,
        Errno.ENOTSOCK => SocketError.NotSocket,
        Errno.EOPNOTSUPP => SocketError.OperationNotSupported,
        Errno.EBADF or Errno.ECANCELED => SocketError.OperationAborted,
        Errno.ENODATA => SocketError.NoData,
        Errno.EPERM or Errno.EACCES => SocketError.AccessDenied,
        _ => SocketError.SocketError,
    };
}
