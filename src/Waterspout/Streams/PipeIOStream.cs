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
/// <para>A program does not choose what its standard input and output are, so descriptors 0 to 2 may be anything: where one is a regular
/// file, or a device such as /dev/null, which no poller takes, its reads and writes are made on the thread pool, at the file's own position,
/// and at most 64 KiB at a time. The end of the file is EOF. <see cref="BaseIOStream.Close"/> writes what is left on the loop's thread, which
/// takes as long as the disk does. Other files are refused: a FileStream is better for a file that the program itself opens.</para>
/// <para>Message-based descriptors (a packet pipe, a socket of a type other than SOCK_STREAM) are also read as a stream. A message of a
/// socket that is longer than <see cref="IOStreamOptions.ReadChunkSize"/> is cut by the system.</para>
/// </remarks>
public partial class PipeIOStream : BaseIOStream
{
    private Descriptor _fd;
    private readonly bool _isWriteOnly;
    private readonly int _largestMessage;
    private readonly SafeHandle? _handle;
    private readonly SharedMode? _mode;
    private readonly FileOnPool? _file;
    private readonly bool _isSocket;
    private readonly bool _isTerminal;
    private readonly long _number = SocketDetails.NextNumber();

    /// <summary>Creates a stream over a descriptor.</summary>
    /// <param name="fd">The stream owns it from now on, unless this fails.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <exception cref="ArgumentException">
    /// The descriptor cannot be polled: a regular file, a directory, /dev/null. Descriptors 0 to 2 may be these too.
    /// </exception>
    /// <exception cref="IOException">There is no such descriptor: standard input may be closed too.</exception>
    public PipeIOStream(int fd, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(new Descriptor(fd), null, options, loop, mayBeFile: new Descriptor(fd).IsStandard)
    {
    }

    /// <summary>Creates a stream over the descriptor of a handle.</summary>
    /// <param name="handle">The stream owns it from now on, unless this fails.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <inheritdoc cref="PipeIOStream(int, IOStreamOptions?, IOLoop?)" path="/exception"/>
    public PipeIOStream(SafeHandle handle, IOStreamOptions? options = null, IOLoop? loop = null)
        : this(GetDescriptor(handle), handle, options, loop, mayBeFile: GetDescriptor(handle).IsStandard)
    {
        // Only the stream finalizes it, since the loop has to unregister it first.
        GC.SuppressFinalize(handle);
    }

    /// <param name="fd">The descriptor.</param>
    /// <param name="handle">The handle that it comes from, if any.</param>
    /// <param name="options">Limits and settings.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="mayBeFile">What cannot be polled is used on the thread pool, and not refused.</param>
    internal PipeIOStream(Descriptor fd, SafeHandle? handle, IOStreamOptions? options, IOLoop? loop, bool mayBeFile)
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
            if (mayBeFile && FileDescriptors.IsAlwaysReady(fd)) _file = new FileOnPool(fd, NotifyReady);
            else Loop.ThrowIfNotPollable(fd);
            _isSocket = Sockets.IsSocket(fd);
            _isTerminal = FileDescriptors.IsTerminal(fd);
            OpenMode mode = default;
            // Files do not block, as far as the system is concerned, and sockets have calls that do not block in any mode.
            if (_file is not null) mode = OpenMode.Of(fd);
            else if (!_isSocket) _mode = SharedMode.Enter(fd, out mode);
            (_fd, _handle, _isWriteOnly) = (fd, handle, mode.IsWriteOnly);
            if (_isSocket) _largestMessage = Sockets.IsStream(fd) ? 0 : Options.ChunkSize;
            else if (_file is null) _largestMessage = mode.LargestPacket;
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
    protected override int Fileno => _file is null ? _fd.Number : -1;

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => HasKernelHooks ? DescriptorTraits.Exact : DescriptorTraits.None;

    private protected override int LargestMessage => _largestMessage;

    // Of a pipe that is open in both directions, this cannot be told from what is to be read.
    private protected override int HeldBySystem => _isSocket ? Queues.Unacknowledged(_fd) : IsWriteOnly ? Queues.Unread(_fd) : 0;

    internal bool IsWriteOnly => _isWriteOnly;

    /// <summary>The name of the stream in logs: <c>PipeIOStream 12 #3456</c>.</summary>
    /// <returns>The class, the descriptor (which may be reused by another stream), and a number that is unique in this process.</returns>
    public override string ToString() => $"{nameof(PipeIOStream)} {_fd} #{_number}";

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        if (!_fd.IsOpen) return;
        Descriptor fd = _fd;
        _fd = fd.AsClosed();
        if (_isTerminal) TerminalMode.Leave(fd);
        _mode?.Leave(fd);
        if (_file is null) Release(fd);
        else _file.Close(() => Release(fd));
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        if (_file is not null) return _file.Read(buffer) is { } read ? ToCount(read, "read") : null;
        PosixResult result = _isSocket ? Receive(buffer) : FileDescriptors.Read(_fd, buffer);
        // A terminal that is not in line mode may return zero instead of EAGAIN (VMIN 0).
        bool mayBeEmpty = result is { IsSuccess: true, Value: 0 } && _isTerminal && FileDescriptors.IsTerminalWithoutLines(_fd);
        if (mayBeEmpty && !Poll.HasHungUp(_fd)) return null;
        // A pseudo-terminal whose other side has closed returns EIO instead of zero.
        return _isTerminal && result.IsInputOutputError ? 0 : ToCount(result, "read");
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data)
    {
        if (_file is not null) return _file.Write(data, isLast: IsClosed) is { } written ? ToCount(written, "write") : null;
        return ToWritten(_isSocket ? Sockets.Send(_fd, data) : FileDescriptors.Write(_fd, data));
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) =>
        _file is null ? ToWritten(FileDescriptors.Gather(_fd, pieces, _isSocket)) : base.WriteToFd(pieces);

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

    private int? ToWritten(PosixResult result) => result.IsShortOfMemory ? TryAgainLater() : ToCount(result, "write");

    private int? ToCount(PosixResult result, string call)
    {
        if (result.IsSuccess) return result.Value;
        return result.WouldBlock ? null : throw ToError(result.Error, call);
    }

    private void Release(Descriptor fd)
    {
        if (_handle is null or SafeSocketHandle) FileDescriptors.Close(fd);
        else _handle.DangerousRelease();
        _handle?.Dispose();
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
