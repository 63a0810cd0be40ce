using System.Net.Sockets;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>A stream over a socket: TCP, Unix, any stream socket, connected or to be connected.</summary>
/// <remarks>
/// The stream owns the socket. Its mode is not changed, except that connecting makes it non-blocking. The stream works on a duplicate of
/// the descriptor, so that another owner of the socket can neither close it under the stream, nor leave the stream with a reused number.
/// Small writes are gathered by turn, so there is nothing to gain from Nagle's algorithm: see <see cref="SetNoDelay"/>.
/// </remarks>
public partial class IOStream : BaseIOStream
{
    private DescriptorTraits? _kernelTraits; // determined at the first use

    /// <summary>Creates a stream over a socket.</summary>
    /// <param name="socket">Connected or accepted, or not connected yet. The stream owns it from now on, unless this fails.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentException">The socket is not a stream socket.</exception>
    /// <exception cref="InvalidOperationException">The socket already belongs to a stream.</exception>
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
            SocketSettings.Apply(_fd, Options);
            // After a reset by the peer the socket no longer counts as connected, but that is no reason to wait for one.
            Begin(isConnected: socket.Connected || Sockets.IsConnected(_fd) || Sockets.WasReset(_fd));
        }
        catch
        {
            FileDescriptors.Close(_fd);
            _fd = Descriptor.None;
            OwnedSockets.GiveBack(socket);
            throw;
        }

        OwnedSockets.SuppressFinalize(socket);
    }

    /// <summary>
    /// Creates a stream that replaces another one, which ends here: an upgrade of the connection. It takes over the descriptor and what has
    /// been received.
    /// </summary>
    /// <param name="plain">
    /// Connected, with nothing pending and nothing unsent. From now on it is not usable; closing it does nothing. If this fails before the
    /// descriptor has moved, nothing has changed; later, it is closed.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="received">What had arrived and was not read, for the hooks of the new class to return first.</param>
    /// <remarks>To be called on the loop.</remarks>
    /// <exception cref="InvalidOperationException">
    /// A read or write is pending, the stream was replaced before, or it has a handshake itself.
    /// </exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    protected IOStream(IOStream plain, IOStreamOptions? options, out byte[] received)
        : base(options, NotNull(plain).Loop, typeof(IOStream))
    {
        if (plain.HasHandshake) throw new InvalidOperationException("The stream has a handshake of its own: what it reads is not the connection's data.");
        plain.CheckCanMove();
        if (plain.IsWriting) throw new InvalidOperationException("The stream is writing.");
        TakeDescriptor(plain);
        received = TakeOver(plain);
        try
        {
            Begin(isConnected: true);
        }
        catch
        {
            // No other stream owns the descriptor now.
            CloseFd();
            throw;
        }
    }

    /// <summary>
    /// Over a non-blocking descriptor that the library created, owned by the stream unless this fails. The socket object is created on
    /// demand.
    /// </summary>
    private protected IOStream(Descriptor fd, bool isConnected, IOStreamOptions? options, IOLoop? loop)
        : base(options, loop, typeof(IOStream))
    {
        _fd = fd;
        Begin(isConnected);
    }

    /// <summary>The same for a connection that is upgraded before anything else: the upgraded stream registers it.</summary>
    private IOStream(Descriptor fd, IOStreamOptions options, IOLoop loop)
        : base(options, loop, typeof(IOStream)) => (_fd, _phase) = (fd, SocketPhase.Connected);

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => HasKernelHooks ? KernelTraits : DescriptorTraits.None;

    /// <summary>
    /// What may be assumed about the socket itself: for a class whose own hooks pass on the results of <see cref="IOStream"/>'s hooks
    /// unchanged.
    /// </summary>
    protected DescriptorTraits KernelTraits => _kernelTraits ??= Sockets.IsTcp(_fd)
        ? DescriptorTraits.Exact | DescriptorTraits.ShortMeansBlocked
        : DescriptorTraits.Exact;

    /// <summary>Two connected streams (socketpair), on one loop.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (IOStream, IOStream) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        MakePair(Sockets.CreatePair(), fd => new IOStream(fd, isConnected: true, options, loop));

    internal static IOStream FromAccepted(Descriptor fd, IOStreamOptions? options, IOLoop loop) => new(fd, isConnected: true, options, loop);

    internal static IOStream FromUnconnected(Descriptor fd, IOStreamOptions? options, IOLoop loop) => new(fd, isConnected: false, options, loop);

    internal static IOStream FromAcceptedForUpgrade(Descriptor fd, IOStreamOptions options, IOLoop loop) => new(fd, options, loop);

    /// <inheritdoc/>
    protected override void OnEvents(IOEvents events)
    {
        // Permanently: the kernel stops at each urgent byte, and reports only the latest.
        if ((events & IOEvents.Priority) != 0) _kernelTraits = DescriptorTraits.Exact;
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer) => ToCount(Sockets.Receive(_fd, buffer));

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) => ToWritten(Sockets.Send(_fd, data));

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) =>
        ToWritten(FileDescriptors.Gather(_fd, pieces, isSocket: true));

    /// <inheritdoc/>
    protected override Exception? GetFdError()
    {
        Errno error = Sockets.TakeError(_fd);
        return error == 0 ? null : PosixResult.ToSocketException(error);
    }

    // Fails if the peer has already closed, and then there is no peer to notify.
    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        _ = Sockets.ShutdownWrites(_fd);
        return true;
    }

    /// <summary>
    /// Ends an orderly close if the peer is idle and its system has acknowledged everything, so that nothing can be lost: the rest is a
    /// wait for a peer that may stay idle for ever. Called on the loop, now and then.
    /// </summary>
    internal void CloseIfAcknowledged()
    {
        if (IsDrainQuiet() && Sockets.IsAcknowledged(_fd)) EndDrain();
    }

    private void Begin(bool isConnected)
    {
        if (isConnected) _phase = SocketPhase.Connected;
        if (isConnected && !HasHandshake)
        {
            Register();
            return;
        }

        AwaitPeer();
        StayUnregistered();
    }

    private protected int? ToWritten(PosixResult result) => result.IsShortOfMemory ? TryAgainLater() : ToCount(result);

    private protected static int? ToCount(PosixResult result)
    {
        if (result.IsSuccess) return result.Value;
        return result.WouldBlock ? null : throw PosixResult.ToSocketException(result.Error);
    }

    private static IOStream NotNull(IOStream plain)
    {
        ArgumentNullException.ThrowIfNull(plain);
        return plain;
    }
}
