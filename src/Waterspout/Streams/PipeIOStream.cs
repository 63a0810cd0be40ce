using System.Net.Sockets;
using System.Runtime.InteropServices;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>
/// A stream over any descriptor that can be polled: a pipe, a FIFO, a terminal, a child process's standard input or output.
/// </summary>
/// <remarks>
/// The stream owns the descriptor and makes it non-blocking, which everyone who shares the file sees. The mode is restored when the last of
/// our streams over that file closes, and at the latest when the process exits. The mode of a socket is not changed. Reading from a
/// descriptor that is open for writing only, or the other way round, fails at once and closes the stream, like any error of the descriptor.
/// <para>Message-based descriptors (a packet pipe, a socket of a type other than SOCK_STREAM) are also read as a stream. A message of a
/// socket that is longer than <see cref="IOStreamOptions.ReadChunkSize"/> is cut by the system.</para>
/// </remarks>
public class PipeIOStream : BaseIOStream
{
    private Descriptor _fd;
    private readonly bool _isWriteOnly;
    private readonly int _largestMessage;
    private readonly SafeHandle? _handle;
    private readonly SharedMode? _mode;
    private readonly bool _isSocket;
    private readonly bool _isTerminal;
    private readonly long _number = SocketDetails.NextNumber();

    /// <summary>Creates a stream over a descriptor.</summary>
    /// <param name="fd">The stream owns it from now on, unless this fails.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentException">The descriptor cannot be polled: a regular file, a directory, /dev/null.</exception>
    /// <exception cref="IOException">There is no such descriptor.</exception>
    public PipeIOStream(int fd, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(new Descriptor(fd), null, options, loop)
    {
    }

    /// <summary>Creates a stream over the descriptor of a handle.</summary>
    /// <param name="handle">The stream owns it from now on, unless this fails.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="PipeIOStream(int, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public PipeIOStream(SafeHandle handle, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(GetDescriptor(handle), handle, options, loop)
    {
        // Only the stream finalizes it, since the loop has to unregister it first.
        GC.SuppressFinalize(handle);
    }

    private PipeIOStream(Descriptor fd, SafeHandle? handle, IOStreamOptions? options, IOLoop? loop)
        : base(options, loop, typeof(PipeIOStream))
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fd.Number, nameof(fd));
        // Referenced, so that a Dispose elsewhere cannot free the number.
        bool isHeld = false;
        // A socket's handle would wait in its Dispose until the stream has closed, so the stream uses a duplicate.
        if (handle is SafeSocketHandle) fd = FileDescriptors.Duplicate(fd);
        else handle?.DangerousAddRef(ref isHeld);
        try
        {
            Loop.ThrowIfNotPollable(fd);
            _isSocket = Sockets.IsSocket(fd);
            _isTerminal = FileDescriptors.IsTerminal(fd);
            // Sockets have calls that do not block in any mode.
            int flags = 0;
            if (!_isSocket) _mode = SharedMode.Enter(fd, out flags);
            OpenMode mode = new(flags);
            (_fd, _handle, _isWriteOnly) = (fd, handle, mode.IsWriteOnly);
            if (_isSocket) _largestMessage = Sockets.IsStream(fd) ? 0 : Options.ReadChunkSize;
            else _largestMessage = mode.LargestPacket;
            // The missing direction gets no event: the first read has to meet the error by itself.
            if (IsWriteOnly) AssumeReadable();
            Register();
        }
        catch
        {
            _mode?.Leave(fd);
            if (isHeld) handle!.DangerousRelease();
            if (handle is SafeSocketHandle) FileDescriptors.Close(fd);
            _fd = Descriptor.None;
            throw;
        }
    }

    /// <inheritdoc/>
    protected override int Fileno => _fd.Number;

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => HasKernelHooks ? DescriptorTraits.Exact : DescriptorTraits.None;

    private protected override int LargestMessage => _largestMessage;

    // Of a pipe that is open in both directions, this cannot be told from what is to be read.
    private protected override int HeldBySystem => _isSocket ? Queues.Unacknowledged(_fd) : IsWriteOnly ? Queues.Unread(_fd) : 0;

    internal bool IsWriteOnly => _isWriteOnly;

    /// <summary>A new pipe: what is written to one end is read from the other.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (PipeIOStream Reader, PipeIOStream Writer) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        MakePair(FileDescriptors.CreatePipe(), fd => new PipeIOStream(fd, null, options, loop));

    /// <summary>Opens a FIFO or a terminal.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="access">
    /// Reading a FIFO sees EOF while there is no writer, also before the first one; opening it for reading and writing keeps it open.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <remarks>
    /// Does not block: opening a FIFO without a reader for writing fails with ENXIO. A terminal does not become the controlling one.
    /// </remarks>
    /// <exception cref="ArgumentException">The file cannot be polled: a regular file, a directory, /dev/null.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static PipeIOStream Open(string path, FileAccess access, IOStreamOptions? options = null, IOLoop? loop = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return FileDescriptors.HandOver(FileDescriptors.Open(path, OpenMode.For(access)), fd => new PipeIOStream(fd, null, options, loop));
    }

    /// <summary>The name of the stream in logs: <c>PipeIOStream 12 #3456</c>.</summary>
    /// <returns>The class, the descriptor (which may be reused by another stream), and a number that is unique in this process.</returns>
    public override string ToString() => $"{nameof(PipeIOStream)} {_fd} #{_number}";

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        if (!_fd.IsOpen) return;
        Descriptor fd = _fd;
        _fd = fd.AsClosed();
        _mode?.Leave(fd);
        if (_handle is null or SafeSocketHandle) FileDescriptors.Close(fd);
        else _handle.DangerousRelease();
        _handle?.Dispose();
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        PosixResult result = _isSocket ? Receive(buffer) : FileDescriptors.Read(_fd, buffer);
        // A terminal that is not in line mode may return zero instead of EAGAIN (VMIN 0).
        bool mayBeEmpty = result is { IsSuccess: true, Value: 0 } && _isTerminal && FileDescriptors.IsTerminalWithoutLines(_fd);
        if (mayBeEmpty && !Poll.HasHungUp(_fd)) return null;
        if (result.IsSuccess) return result.Value;
        if (result.WouldBlock) return null;
        // A pseudo-terminal whose other side has closed returns EIO instead of zero.
        return _isTerminal && result.IsInputOutputError ? 0 : throw ToError(result.Error, "read");
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data) =>
        ToWritten(_isSocket ? Sockets.Send(_fd, data) : FileDescriptors.Write(_fd, data));

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) =>
        ToWritten(FileDescriptors.Gather(_fd, pieces, _isSocket));

    /// <inheritdoc/>
    protected override Exception? GetFdError()
    {
        if (_isSocket) return Sockets.TakeError(_fd) is var error and not 0 ? PosixResult.ToSocketException(error) : null;
        // The write end of a pipe reports an error when the reader has closed.
        return IsWriteOnly ? PosixResult.NoReader("write") : null;
    }

    /// <inheritdoc/>
    protected override bool ShutdownWrites()
    {
        if (_isSocket) return Sockets.ShutdownWrites(_fd).IsSuccess;
        if (!IsWriteOnly) return false;
        Close();
        return true;
    }

    // On a message-based socket, zero may be an empty message. After the peer's EOF the second zero shows that there is nothing more.
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

    private Exception ToError(Errno error, string call) =>
        _isSocket ? PosixResult.ToSocketException(error) : PosixResult.ToException(error, call);

    private static Descriptor GetDescriptor(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        return Descriptor.Of(handle);
    }
}
