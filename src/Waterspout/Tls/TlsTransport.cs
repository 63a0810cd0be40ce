using System.Buffers;
using System.Net.Sockets;

namespace Waterspout.Tls;

/// <summary>The plain stream under a TLS stream: it owns the descriptor, and carries the ciphertext.</summary>
internal sealed class TlsTransport : IOStream
{
    private readonly Lock _lock = new();
    private byte[]? _fromElsewhere;
    private SslIOStream? _owner;

    /// <summary>Over a socket, connected or not.</summary>
    internal TlsTransport(Socket socket, IOStreamOptions options, IOLoop? loop)
        : base(socket, ForTransport(options), loop)
    {
    }

    /// <summary>Over a descriptor that the library created.</summary>
    internal TlsTransport(int fd, bool isConnected, IOStreamOptions options, IOLoop loop)
        : base(fd, isConnected, ForTransport(options), loop)
    {
    }

    /// <summary>Over the descriptor of a plain stream that is upgraded, with the data that had arrived on it.</summary>
    internal TlsTransport(IOStream plain)
        : base(plain, ForTransport(plain.Options))
    {
    }

    internal bool IsConnected => !IsConnecting;

    internal bool IsConnectBegun => WillConnect;

    /// <summary>Bytes of records that were unsent when it closed.</summary>
    internal long Dropped { get; private set; }

    /// <summary>From now on this stream lives and ends with the one above, whose finalizer closes both.</summary>
    internal void SetOwner(SslIOStream owner)
    {
        _owner = owner;
        GC.SuppressFinalize(this);
    }

    /// <summary>Accepts any amount of data on another thread.</summary>
    /// <param name="data">Copied.</param>
    /// <param name="isTakenLater">The caller will post a call of <see cref="TakeFromElsewhere"/>.</param>
    internal void WriteFromElsewhere(ReadOnlySpan<byte> data, bool isTakenLater)
    {
        lock (_lock) _fromElsewhere = [.. _fromElsewhere ?? [], .. data];
        if (!isTakenLater) Loop.TryPost(this, static transport => transport.TakeFromElsewhere());
    }

    /// <summary>Called on the loop before it writes: data written on another thread goes first.</summary>
    internal void TakeFromElsewhere()
    {
        if (_fromElsewhere is null) return;
        lock (_lock)
        {
            WriteWithoutWaiting(_fromElsewhere);
            _fromElsewhere = null;
        }
    }

    /// <summary>
    /// Discards unread data. Left there it would turn the close into a reset, and that would drop what is still to be sent.
    /// </summary>
    internal void DiscardReceived()
    {
        byte[] rest = ArrayPool<byte>.Shared.Rent(Options.ReadChunkSize);
        try
        {
            // As often as a turn allows: a peer that keeps sending is reset.
            for (int i = 0; i < 4 && ReadFromFd(rest) == rest.Length; i++)
            {
            }
        }
        catch (SocketException)
        {
            // There is no peer left to send anything to.
        }

        ArrayPool<byte>.Shared.Return(rest);
    }

    internal override bool HasWaiters => base.HasWaiters || _owner is { HasWaiters: true };

    // SslStream keeps waiting for data when the read that caused it was cancelled. The stream above knows whether there is a waiter.
    private protected override bool HasReadWaiter => _owner is null && base.HasReadWaiter;

    private protected override void OnEofAnnounced() => _owner?.OnTransportEof();

    private protected override void OnClosed(Exception error)
    {
        base.OnClosed(error);
        _owner?.OnTransportClosed();
    }

    /// <summary>The connection has one name in logs.</summary>
    public override string ToString() => _owner?.ToString() ?? base.ToString();

    private protected override void NoteClose(CloseReason reason, Exception? error, bool isKnown)
    {
        if (_owner is null) base.NoteClose(reason, error, isKnown);
    }

    // The stream above logs it, in bytes of plaintext.
    private protected override void LogUnsent(long bytes, Exception? error, bool isCutByPeer) => Dropped = bytes;

    // The stream above has the time limits, and decides what the peer's EOF means.
    private static IOStreamOptions ForTransport(IOStreamOptions options)
    {
        // Here, since once the transport has the socket it is too late to throw.
        options.Validate(nameof(options));
        return options with
        {
            AllowHalfOpen = true,
            ReadTimeout = null,
            WriteTimeout = null,
            ConnectTimeout = null,
            MaxWriteBufferSize = long.MaxValue,
        };
    }
}
