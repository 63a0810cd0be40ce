using System.Net.Sockets;
using System.Runtime.InteropServices;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>A stream over any descriptor that can be polled: a pipe, a FIFO, a terminal, a child process's standard input or output.</summary>
/// <remarks>
/// The stream owns the descriptor and makes it non-blocking, which everybody who shares it with us sees. It is put back as it was when the last of our
/// streams over that file closes, and at the latest when the process ends. The mode of a socket is left alone.
/// Reading from a descriptor that is open for writing only, or the other way round, fails without a wait and closes the stream, as any error of the descriptor does.
/// <para>What keeps messages apart (a packet pipe, a socket of another type than SOCK_STREAM) is read as a stream all the same. A message of a socket that is
/// longer than <see cref="IOStreamOptions.ReadChunkSize"/> is cut by the system.</para>
/// </remarks>
public class PipeIOStream : BaseIOStream
{
    // Not 0: the finalizer of an object whose constructor failed must not close standard input.
    private int _fd = -1; // complemented when it has been closed
    private readonly int _accessMode;
    private readonly int _largestMessage;
    private readonly SafeHandle? _handle;
    private readonly SharedMode? _mode;
    private readonly bool _isSocket;
    private readonly bool _isTerminal;
    private readonly long _number = SocketDetails.NextNumber();

    /// <summary>Makes a stream over a descriptor.</summary>
    /// <param name="fd">Belongs to the stream from now on; not if this fails.</param>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentException">The descriptor cannot be polled: a regular file, a directory, /dev/null.</exception>
    /// <exception cref="IOException">There is no such descriptor.</exception>
    public PipeIOStream(int fd, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(fd, null, options, loop)
    {
    }

    /// <summary>Makes a stream over the descriptor of a handle.</summary>
    /// <param name="handle">Belongs to the stream from now on; not if this fails.</param>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="PipeIOStream(int, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public PipeIOStream(SafeHandle handle, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(GetDescriptor(handle), handle, options, loop)
    {
        // Ours alone to finalize, since the loop has to forget it first.
        GC.SuppressFinalize(handle);
    }

    private PipeIOStream(int fd, SafeHandle? handle, IOStreamOptions? options, IOLoop? loop)
        : base(options, loop, typeof(PipeIOStream))
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fd);
        // Held, so that a Dispose elsewhere cannot free the number under us.
        bool isHeld = false;
        // A socket's would wait in its Dispose until the stream has closed, so that gives a duplicate.
        if (handle is SafeSocketHandle) fd = FileDescriptors.Duplicate(fd);
        else handle?.DangerousAddRef(ref isHeld);
        try
        {
            Loop.ThrowIfNotPollable(fd);
            _isSocket = Sockets.IsSocket(fd);
            _isTerminal = FileDescriptors.IsTerminal(fd);
            // A socket has calls that do not block whatever its mode is.
            int flags = 0;
            if (!_isSocket) _mode = SharedMode.Enter(fd, out flags);
            (_fd, _handle, _accessMode) = (fd, handle, flags & LibC.O_ACCMODE);
            if (_isSocket) _largestMessage = Sockets.IsStream(fd) ? 0 : Options.ReadChunkSize;
            else if ((flags & LibC.O_DIRECT) != 0) _largestMessage = LibC.PIPE_BUF;
            // No event comes from the side that there is not: the first read has to meet the error by itself.
            if (IsWriteOnly) AssumeReadable();
            Register();
        }
        catch
        {
            _mode?.Leave(fd);
            if (isHeld) handle!.DangerousRelease();
            if (handle is SafeSocketHandle) FileDescriptors.Close(fd);
            _fd = -1;
            throw;
        }
    }

    /// <inheritdoc/>
    protected override int Fileno => _fd;

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => HasKernelHooks ? DescriptorTraits.Exact : DescriptorTraits.None;

    private protected override int LargestMessage => _largestMessage;

    private bool IsWriteOnly => _accessMode == LibC.O_WRONLY;

    /// <summary>A new pipe: what is written to the one comes out of the other.</summary>
    /// <param name="options">Limits and habits of both; the defaults when null.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (PipeIOStream Reader, PipeIOStream Writer) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        MakePair(FileDescriptors.CreatePipe(), fd => new PipeIOStream(fd, options, loop));

    /// <summary>Opens a FIFO or a terminal.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="access">Reading a FIFO sees its end when no writer is there, also before the first one; reading and writing it keeps it open.</param>
    /// <param name="options">Limits and habits; the defaults when null.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <remarks>Does not block: writing to a FIFO that nobody reads fails with ENXIO. A terminal does not become the controlling one.</remarks>
    /// <exception cref="ArgumentException">What is there cannot be polled: a regular file, a directory, /dev/null.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static PipeIOStream Open(string path, FileAccess access, IOStreamOptions? options = null, IOLoop? loop = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        int mode = access switch
        {
            FileAccess.Read => LibC.O_RDONLY,
            FileAccess.Write => LibC.O_WRONLY,
            FileAccess.ReadWrite => LibC.O_RDWR,
            _ => throw new ArgumentOutOfRangeException(nameof(access)),
        };
        return FileDescriptors.HandOver(FileDescriptors.Open(path, mode | LibC.O_NONBLOCK | LibC.O_NOCTTY), fd => new PipeIOStream(fd, options, loop));
    }

    /// <summary>What the stream is called in logs: <c>PipeIOStream 12 #3456</c>.</summary>
    /// <returns>The class, the descriptor (which another stream may have again), and a number that no other stream of this process has.</returns>
    public override string ToString() => $"{nameof(PipeIOStream)} {(_fd >= 0 ? _fd : ~_fd)} #{_number}";

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        if (_fd < 0) return;
        int fd = _fd;
        _fd = ~fd;
        _mode?.Leave(fd);
        if (_handle is null or SafeSocketHandle) FileDescriptors.Close(fd);
        else _handle.DangerousRelease();
        _handle?.Dispose();
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        PosixResult result = _isSocket ? Receive(buffer) : FileDescriptors.Read(_fd, buffer);
        // A terminal that is not read by lines may be set to give zero where others say EAGAIN (VMIN 0).
        if (result.IsSuccess) return result.Value == 0 && _isTerminal && FileDescriptors.IsTerminalWithoutLines(_fd) && !Poll.HasHungUp(_fd) ? null : result.Value;
        if (result.WouldBlock) return null;
        // A pseudo-terminal whose other side has gone says EIO where others say zero.
        return _isTerminal && result.Error == Errno.EIO ? 0 : throw ToError(result.Error, "read");
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) =>
        ToWritten(_isSocket ? Sockets.Send(_fd, data) : FileDescriptors.Write(_fd, data));

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => ToWritten(FileDescriptors.Gather(_fd, pieces, _isSocket));

    /// <inheritdoc/>
    protected override Exception? GetFdError()
    {
        if (_isSocket) return Sockets.TakeError(_fd) is var error and not 0 ? PosixResult.ToSocketException(error) : null;
        // The writing end of a pipe reports an error when nobody reads any more.
        return IsWriteOnly ? PosixResult.ToException(Errno.EPIPE, "write") : null;
    }

    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        if (_isSocket) return Sockets.ShutdownWrites(_fd).IsSuccess;
        if (!IsWriteOnly) return false;
        Close();
        return true;
    }

    // Where messages are kept apart, zero may be one that is empty. Behind the peer's end the second zero tells that there is nothing more.
    private PosixResult Receive(Span<byte> buffer)
    {
        PosixResult result = Sockets.Receive(_fd, buffer);
        while (_largestMessage > 0 && result is { IsSuccess: true, Value: 0 })
        {
            bool hasEnded = Poll.HasEnded(_fd);
            result = Sockets.Receive(_fd, buffer);
            if (hasEnded) break;
        }

        return result;
    }

    private int? ToWritten(PosixResult result)
    {
        if (result.IsSuccess) return result.Value;
        if (result.WouldBlock) return null;
        return result.IsShortOfMemory ? TryAgainLater() : throw ToError(result.Error, "write");
    }

    private Exception ToError(Errno error, string call) => _isSocket ? PosixResult.ToSocketException(error) : PosixResult.ToException(error, call);

    private static int GetDescriptor(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        return (int)handle.DangerousGetHandle();
    }
}
