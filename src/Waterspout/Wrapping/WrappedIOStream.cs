using System.IO.Pipelines;
using Waterspout.Diagnostics;
using Waterspout.Wrapping;

namespace Waterspout;

/// <summary>Every read, write and close of this library over a stream, or a pair of pipes, of .NET.</summary>
/// <remarks>
/// <para>The wrapped stream is read ahead from the first use on, up to 64 KiB, so that the peer's end is noticed without a reader: it
/// belongs to this stream alone. A stream that waits holds 4 KiB for that.</para>
/// <para>Its calls complete on the thread pool, and come back by the loop's queue: several microseconds more for a message than
/// <see cref="IOStream"/>. Wrap what has no other way; a socket is cheaper in an <see cref="IOStream"/>, and TLS in an
/// <see cref="SslIOStream"/>.</para>
/// <para>Up to 64 KiB of data count as sent when the wrapped stream has them, as a socket's do when the system has them. A close without
/// an error leaves the wrapped stream ten seconds to accept the rest of those, and then disposes it.</para>
/// <para>The end of this side alone (<see cref="BaseIOStream.CompleteWritesAsync"/>) is sent by a NetworkStream, an SslStream and a pipe.
/// Other streams refuse it with <see cref="NotSupportedException"/>. The peer of an SslStream that is disposed without its end cannot
/// distinguish this from the end.</para>
/// <para>After a failed write, what still arrives is read, until the wrapped stream ends: the stream closes then, or by
/// <see cref="BaseIOStream.Close"/>.</para>
/// <para>A close disposes the wrapped stream, or completes both pipes. The error given to <see cref="BaseIOStream.Close"/> is passed to
/// the pipes. A NetworkStream sends FIN when it is disposed, before anything else: its peer sees a regular end, and no reset.</para>
/// <para>Threads are those of <see cref="BaseIOStream"/>. Tornado has no such class.</para>
/// </remarks>
public sealed class WrappedIOStream : BaseIOStream
{
    private static long s_count;

    private readonly ReadAhead _incoming;
    private readonly WriteUnderWay _outgoing;
    private readonly string _name;

    /// <summary>Creates a stream over a stream of .NET.</summary>
    /// <param name="stream">
    /// Only this stream may use it from now on. It has to be ready: connected, and an SslStream authenticated. One that can only be read,
    /// or only be written, serves that direction; the other fails, and closes the stream.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="leaveOpen">
    /// A close cancels what is under way, and does not dispose <paramref name="stream"/>. What has been read ahead is lost to it.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public WrappedIOStream(Stream stream, IOStreamOptions? options = null, IOLoop? loop = null, bool leaveOpen = false)
        : this(new WrappedStream(NotNull(stream, nameof(stream)), leaveOpen), options, loop)
    {
    }

    /// <summary>Creates a stream over the reader and the writer of a duplex pipe.</summary>
    /// <param name="pipe">Only this stream may use it from now on.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="leaveOpen">
    /// A close cancels what is under way, and completes neither side. What has been read ahead is lost to the reader.
    /// </param>
    /// <exception cref="ArgumentException">A side of the pipe is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public WrappedIOStream(IDuplexPipe pipe, IOStreamOptions? options = null, IOLoop? loop = null, bool leaveOpen = false)
        : this(new WrappedPipe(CheckSides(pipe), leaveOpen), options, loop)
    {
    }

    private WrappedIOStream(IWrapped wrapped, IOStreamOptions? options, IOLoop? loop)
        : base(options, loop)
    {
        _name = $"{nameof(WrappedIOStream)} {Interlocked.Increment(ref s_count)} {wrapped.Name}";
        Reports reports = new(this);
        _incoming = new ReadAhead(wrapped, reports);
        _outgoing = new WriteUnderWay(wrapped, reports);
    }

    /// <inheritdoc/>
    protected override Task WriteEndSent => _outgoing.End;

    // The other direction may still bring what the peer sent before its end.
    /// <inheritdoc/>
    protected override bool MoreWillCome => _outgoing.Error is not null && _incoming.IsUnderWay;

    /// <summary>The name of the stream in logs: the class, its number in this process, and the class of what is wrapped.</summary>
    public override string ToString() => _name;

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer) => _incoming.Take(buffer);

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data)
    {
        _incoming.Begin();
        return _outgoing.Write(data);
    }

    /// <inheritdoc/>
    protected override Exception? GetFdError() => _incoming.Error ?? _outgoing.Error;

    /// <inheritdoc/>
    protected override void OnCloseAwaited() => _incoming.Begin();

    /// <inheritdoc/>
    protected override bool ShutdownWrites() => _outgoing.TryEnd();

    /// <inheritdoc/>
    protected override void CloseFd()
    {
        // Null if the constructor failed, and only the finalizer calls this.
        if (_outgoing is null) return;
        _incoming.Close(Error);
        _outgoing.CloseAsync(Error).IgnoreFailure();
    }

    private static T NotNull<T>(T? wrapped, string name)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(wrapped, name);
        return wrapped;
    }

    private static IDuplexPipe CheckSides(IDuplexPipe? pipe)
    {
        if (NotNull(pipe, nameof(pipe)) is { Input: not null, Output: not null }) return pipe!;
        throw new ArgumentException("A pipe has an input and an output.", nameof(pipe));
    }

    /// <summary>How the two sides reach their stream, if it is still used.</summary>
    internal sealed class Reports(WrappedIOStream stream)
    {
        private readonly IOLoop _loop = stream.Loop;
        private readonly WeakReference<WrappedIOStream> _stream = new(stream);

        /// <summary>Runs the end of a call on the loop, or here if the loop has ended.</summary>
        internal void Run(Action end)
        {
            try
            {
                _loop.AddCallback(end);
            }
            catch (ObjectDisposedException)
            {
                end();
            }
        }

        internal void Now(IOEvents events)
        {
            if (_stream.TryGetTarget(out WrappedIOStream? stream)) stream.NotifyReady(events);
        }

        internal void Later(IOEvents events)
        {
            if (_stream.TryGetTarget(out WrappedIOStream? stream)) stream.NotifyReadyLater(events);
        }
    }
}
