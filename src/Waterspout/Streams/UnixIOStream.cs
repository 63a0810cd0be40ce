using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Waterspout.Connecting;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>A stream over a Unix socket that also passes handles: open files, pipes and sockets, from process to process.</summary>
/// <remarks>
/// <para>A received handle refers to the same open file as the sender's; each side closes its own. Handles travel beside the bytes:
/// <see cref="WriteAsync(ReadOnlyMemory{byte}, IReadOnlyList{SafeHandle}, CancellationToken)"/> attaches them to the first byte of its data,
/// and they can be taken by <see cref="TryTakeHandle"/> once that byte has arrived, however the bytes are read: a read that returns it has
/// completed after them. They come in the order in which they were sent. A message should say how many handles belong to it.</para>
/// <para>A plain <see cref="IOStream"/> over a Unix socket drops handles that it receives, as every receive does that does not ask for
/// them. So the sides agree on this class before the first handle is sent: a server turns an accepted stream into one before its first
/// read. A message costs the same two system calls.</para>
/// <para>No handle is lost, or left open, without notice. What is received is closed on exec. What has not been taken is closed when this
/// side closes the stream; after a close by the peer it can still be taken until then. If this process has no free descriptor for a handle,
/// the stream closes with an error. Tornado has no such class.</para>
/// </remarks>
public sealed class UnixIOStream : IOStream
{
    private readonly ReceivedHandles _received = new();
    private readonly HandlesToSend _toSend = new();
    private byte[] _early = []; // received by the stream that this one has replaced
    private int _maxReceivedHandles = DescriptorMessages.MostAtOnce;

    /// <summary>Creates a stream over a Unix socket.</summary>
    /// <inheritdoc cref="IOStream(Socket, IOStreamOptions?, IOLoop?)" path="/param|/exception"/>
    public UnixIOStream(Socket socket, IOStreamOptions? options = null, IOLoop? loop = null)
        : base(CheckUnix(socket), options, loop)
    {
    }

    /// <summary>Turns a stream over a Unix socket, such as a <see cref="TcpServer"/> has accepted, into one that passes handles.</summary>
    /// <param name="plain">
    /// Connected, and with nothing pending. This stream replaces it, and has its options, its close callback and its
    /// <see cref="BaseIOStream.Closed"/> token. Handles that came with what it has received already are lost, so do this before its first
    /// read.
    /// </param>
    /// <remarks>To be called on the loop of the stream.</remarks>
    /// <exception cref="ArgumentException">It is not a Unix socket.</exception>
    /// <exception cref="InvalidOperationException">
    /// A read or write is pending, the stream has been replaced before, or this is not the thread of its loop.
    /// </exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    public UnixIOStream(IOStream plain)
        : base(CheckUnix(plain), plain.Options, out byte[] received)
    {
        _early = received;
        plain.ReplaceBy(this);
    }

    private UnixIOStream(Descriptor fd, bool isConnected, IOStreamOptions? options, IOLoop? loop)
        : base(fd, isConnected, options, loop)
    {
    }

    /// <summary>The most handles that may wait to be taken, 253 by default: as many as one message takes.</summary>
    /// <remarks>A peer that sends more closes the stream, with a <see cref="StreamBufferFullException"/>. May be set at any time.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxReceivedHandles
    {
        get => _maxReceivedHandles;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxReceivedHandles = value;
        }
    }

    /// <summary>The number of handles that have been received and not taken. May be read from any thread.</summary>
    public int ReceivedHandleCount => _received.Count;

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => KernelTraits;

    /// <summary>Connects to a Unix socket.</summary>
    /// <param name="path">The path of the socket; an abstract name begins with a zero character.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="cancellationToken">Cancelling closes the stream.</param>
    /// <returns>A connected stream on <see cref="IOLoop.Current"/>.</returns>
    /// <exception cref="ArgumentException">The path is empty, or too long for a Unix socket.</exception>
    /// <exception cref="StreamClosedException">Connecting failed; the inner exception is the <see cref="SocketException"/>.</exception>
    /// <exception cref="TimeoutException"><see cref="IOStreamOptions.ConnectTimeout"/> has expired.</exception>
    /// <exception cref="OperationCanceledException">Connecting was cancelled.</exception>
    public static ValueTask<UnixIOStream> ConnectAsync(
        string path, IOStreamOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        UnixDomainSocketEndPoint address = new(path);
        UnixIOStream stream = FileDescriptors.HandOver(Sockets.Create(AddressFamily.Unix), fd =>
        {
            SocketSettings.Configure(fd, options?.ConfigureSocket);
            return new UnixIOStream(fd, isConnected: false, options, null);
        });
        return ConnectAsync();

        async ValueTask<UnixIOStream> ConnectAsync()
        {
            await stream.ConnectAsync(address, null, cancellationToken).ConfigureAwait(false);
            return stream;
        }
    }

    /// <summary>Two connected streams (socketpair), on one loop.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static new (UnixIOStream, UnixIOStream) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        MakePair(Sockets.CreatePair(), fd => new UnixIOStream(fd, isConnected: true, options, loop));

    /// <summary>Writes data, with handles beside its first byte.</summary>
    /// <param name="data">At least one byte. Must not change until the write has completed.</param>
    /// <param name="handles">
    /// From 1 to 253. They stay the caller's, who may dispose them as soon as this has returned: their descriptors are kept open until they
    /// have been sent.
    /// </param>
    /// <param name="cancellationToken">Cancelling a write that has started closes the stream.</param>
    /// <remarks>
    /// Completion, order and errors are those of <see cref="BaseIOStream.WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>. The
    /// system limits how many handles of a user are under way, to as many as a process may have open; one more closes the stream with an
    /// error. May be called from any thread.
    /// </remarks>
    /// <exception cref="ArgumentException">There is no data, or a handle has no descriptor.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are no handles, or too many.</exception>
    /// <exception cref="ObjectDisposedException">A handle is closed.</exception>
    public ValueTask WriteAsync(
        ReadOnlyMemory<byte> data, IReadOnlyList<SafeHandle> handles, CancellationToken cancellationToken = default)
    {
        if (data.IsEmpty) throw new ArgumentException("Handles need at least one byte to travel with.", nameof(data));
        HeldHandles held = HeldHandles.Hold(handles, nameof(handles));
        ValueTask write = Loop.IsCurrent
            ? WriteWith(held, data, cancellationToken)
            : WriteOffLoop((held, data, cancellationToken),
                static (stream, call) => ((UnixIOStream)stream).WriteWith(call.held, call.data, call.cancellationToken));
        // Refused, or the loop has ended, or the stream has closed: nothing of it is sent any more.
        if (write.IsFaulted || write.IsCanceled) held.Release();
        return write;
    }

    /// <summary>Takes the first of the handles that have been received and not taken.</summary>
    /// <param name="handle">The caller's from now on.</param>
    /// <returns>False if there is none now. It does not wait: read the bytes that the handle comes with first.</returns>
    /// <remarks>
    /// <see cref="PipeIOStream(SafeHandle, IOStreamOptions?, IOLoop?)"/> makes a stream of it, a FileStream takes a file. May be called
    /// from any thread, also after the peer has closed.
    /// </remarks>
    public bool TryTakeHandle([NotNullWhen(true)] out SafeFileHandle? handle) => _received.TryTake(out handle);

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        if (_early.Length > 0) return TakeEarly(buffer);
        PosixResult result = DescriptorMessages.Receive(Descriptor, buffer, out int[] descriptors, out bool areSomeLost);
        if (descriptors.Length > 0 && !_received.Add(descriptors, _maxReceivedHandles))
            throw new StreamBufferFullException($"More than {nameof(MaxReceivedHandles)}, which is {_maxReceivedHandles}, were received and not taken.");
        if (areSomeLost) throw new IOException("Handles were lost: this process has too many open files to receive them.");
        return ToCount(result);
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data)
    {
        int length = data.Length;
        if (_toSend.At(SentPosition, ref length) is not { } held) return base.WriteToFd(data[..length]);
        PosixResult result = DescriptorMessages.Send(Descriptor, data[..length], held.Descriptors);
        // With a part of the data they have been sent too.
        if (result.IsSuccess) _toSend.RemoveFirst();
        return ToWritten(result);
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) =>
        _toSend.IsEmpty ? base.WriteToFd(pieces) : WriteToFd(pieces[0].Span);

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        base.CloseFd();
        _toSend.Clear();
    }

    private protected override void OnCloseCalled() => _received.Close();

    private ValueTask WriteWith(HeldHandles held, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        TakeStaged();
        long position = WrittenPosition;
        // Before the write, which may send at once.
        _toSend.Add(position, held);
        ValueTask write = WriteAsync(data, cancellationToken);
        if ((write.IsFaulted || write.IsCanceled) && WrittenPosition == position) _toSend.RemoveLast(held);
        return write;
    }

    private int TakeEarly(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _early.Length);
        _early.AsSpan(0, count).CopyTo(buffer);
        _early = _early[count..];
        return count;
    }

    private static Socket CheckUnix(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return socket.AddressFamily == AddressFamily.Unix
            ? socket
            : throw new ArgumentException("Not a Unix socket: only these pass handles.", nameof(socket));
    }

    private static IOStream CheckUnix(IOStream plain)
    {
        ArgumentNullException.ThrowIfNull(plain);
        if (!plain.Loop.IsCurrent) throw new InvalidOperationException("This is not the thread of the stream's loop.");
        if (!plain.IsClosed && !plain.IsOverUnixSocket) throw new ArgumentException("Not over a Unix socket: only these pass handles.", nameof(plain));
        // What a completed write has left is sent now.
        plain.FlushWrites();
        return plain;
    }
}
