using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>A stream over a socket: TCP, Unix, any stream socket, connected or to be connected.</summary>
/// <remarks>
/// The stream owns the socket. Its mode is left alone, except that connecting makes it non-blocking. The stream works on a duplicate of the descriptor, so that nobody else who has the socket can close it
/// under the stream, or leave the stream with a number that is another file's by then. Small writes are gathered by turn, so there is nothing to gain from
/// Nagle's algorithm: see <see cref="SetNoDelay"/>.
/// </remarks>
public partial class IOStream : BaseIOStream
{
    private DescriptorTraits? _kernelTraits; // once somebody has asked

    /// <summary>Makes a stream over a socket.</summary>
    /// <param name="socket">Connected or accepted, or not connected yet. Belongs to the stream from now on; not if this fails.</param>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentException">It is not a stream socket.</exception>
    /// <exception cref="InvalidOperationException">It belongs to a stream already.</exception>
    /// <exception cref="IOException">No descriptor is free for the stream's own duplicate.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed, or the loop disposed.</exception>
    public IOStream(Socket socket, IOStreamOptions? options = null, IOLoop? loop = null)
        : base(options, loop, typeof(IOStream))
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.SocketType != SocketType.Stream) throw new ArgumentException("Not a stream socket.", nameof(socket));
        _fd = OwnedSockets.Take(socket);
        _details = new SocketDetails { Socket = socket };
        try
        {
            // The system forgets the connection when the peer has reset it, and that is no reason to wait for one.
            Begin(isConnected: socket.Connected || Sockets.IsConnected(_fd) || Sockets.WasReset(_fd));
        }
        catch
        {
            FileDescriptors.Close(_fd);
            _fd = -1;
            OwnedSockets.GiveBack(socket);
            throw;
        }

        OwnedSockets.SuppressFinalize(socket);
    }

    /// <summary>A stream in the place of another one, which ends here: with its descriptor and what had arrived.</summary>
    private protected IOStream(IOStream other, IOStreamOptions options)
        : base(options, other.Loop, typeof(IOStream))
    {
        TakeDescriptor(other);
        TakeOver(other);
        try
        {
            Register();
        }
        catch
        {
            // Nobody else has the descriptor any more.
            CloseFd();
            throw;
        }
    }

    /// <summary>A stream over another one, which has the socket. It has no peer before its handshake is done.</summary>
    private protected IOStream(IOStreamOptions? options, IOLoop? loop)
        : base(options, loop, typeof(IOStream)) => AwaitPeer();

    /// <summary>A non-blocking descriptor of our own making; not if this fails. The socket object is made when somebody asks for it.</summary>
    private protected IOStream(int fd, bool isConnected, IOStreamOptions? options, IOLoop? loop)
        : base(options, loop, typeof(IOStream))
    {
        _fd = fd;
        Begin(isConnected);
    }

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => HasKernelHooks ? KernelTraits : DescriptorTraits.None;

    /// <summary>What may be taken for granted of the socket itself: for a class whose own hooks pass on what those of <see cref="IOStream"/> return, as they return it.</summary>
    protected DescriptorTraits KernelTraits => _kernelTraits ??= Sockets.IsTcp(_fd) ? DescriptorTraits.Exact | DescriptorTraits.ShortMeansBlocked : DescriptorTraits.Exact;

    /// <summary>Two streams that are connected with each other (socketpair), on one loop.</summary>
    /// <param name="options">Limits and habits of both; the defaults when null.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (IOStream, IOStream) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        MakePair(Sockets.CreatePair(), fd => new IOStream(fd, isConnected: true, options, loop));

    internal static IOStream FromAccepted(int fd, IOStreamOptions? options, IOLoop loop) => new(fd, isConnected: true, options, loop);

    internal static IOStream FromUnconnected(int fd, IOStreamOptions? options, IOLoop loop) => new(fd, isConnected: false, options, loop);

    // For good: the kernel stops at each urgent byte, and reports only the latest.
    private protected override void OnPriority() => _kernelTraits = DescriptorTraits.Exact;

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        PosixResult result = Sockets.Receive(_fd, buffer);
        if (result.IsSuccess) return result.Value;
        return result.WouldBlock ? null : throw PosixResult.ToSocketException(result.Error);
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) => ToWritten(Sockets.Send(_fd, data));

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => ToWritten(FileDescriptors.Gather(_fd, pieces, isSocket: true));

    /// <inheritdoc/>
    protected override Exception? GetFdError()
    {
        Errno error = Sockets.TakeError(_fd);
        return error == 0 ? null : PosixResult.ToSocketException(error);
    }

    // Fails where the peer is gone already, and then there is nobody to tell.
    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        _ = Sockets.ShutdownWrites(_fd);
        return true;
    }

    private void Begin(bool isConnected)
    {
        if (isConnected)
        {
            Register();
            return;
        }

        AwaitPeer();
        StayUnregistered();
    }

    private int? ToWritten(PosixResult result)
    {
        if (result.IsSuccess) return result.Value;
        if (result.WouldBlock) return null;
        return result.IsShortOfMemory ? TryAgainLater() : throw PosixResult.ToSocketException(result.Error);
    }
}
