using System.Buffers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Tls;

/// <summary>TLS by SslStream.</summary>
/// <remarks>
/// <para>Theory of operation. SslStream reads by awaiting; the stream above asks as one asks a non-blocking descriptor. Between the two
/// stands a read of no bytes: it completes when there is plaintext, or the end, and SslStream holds no buffer while it waits. Once it has
/// completed, reads with a buffer complete at once, until there is no more; then the next one of no bytes is begun. Since the
/// transport completes on the loop, inline, SslStream goes on there, decrypts there, and the reader above goes on there: no other
/// thread has part in it.</para>
/// <para>Writes go into SslStream 16 KiB at a time where there is as much, since each becomes a record of that size at most. What a write
/// has left is reported only when the transport has handed all of its ciphertext to the system: only then are the bytes sent.</para>
/// </remarks>
internal sealed class SslStreamEngine : ITlsEngine
{
    // The most plaintext in one record (RFC 8446, 5.1).
    private const int RecordSize = 16 * 1024;

    // Four records at a time: what the kernel does not take of them is copied, and the loop is kept for no longer.
    private const int BatchSize = 4 * RecordSize;

    private readonly SslIOStream _owner;
    private readonly TlsTransport _transport;
    private readonly TransportStream _inner;
    private readonly SslStream _ssl;
    private readonly Func<SslStream, Task> _authenticate;
    private readonly Action _onReadable;
    private bool _isWaiting;
    private bool _isAwaitingFlush;
    private bool _isShutDown;
    private int _unreported;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _waiting;

    internal SslStreamEngine(SslIOStream owner, TlsTransport transport, Func<SslStream, Task> authenticate)
    {
        _owner = owner;
        _transport = transport;
        _authenticate = authenticate;
        _inner = new TransportStream(transport);
        _ssl = new SslStream(_inner);
        _onReadable = OnReadable;
    }

    public SslProtocols Protocol => _ssl.SslProtocol;

    public TlsCipherSuite CipherSuite => _ssl.NegotiatedCipherSuite;

    public SslApplicationProtocol ApplicationProtocol => _ssl.NegotiatedApplicationProtocol;

    public string TargetHostName => _ssl.TargetHostName;

    public X509Certificate2? RemoteCertificate => _ssl.RemoteCertificate as X509Certificate2;

    public bool IsTruncated => _inner.IsEndGiven;

    public ValueTask WaitForPeerAsync() => _inner.ReceiveAheadAsync();

    public Task HandshakeAsync() => _authenticate(_ssl);

    public int? Read(Memory<byte> buffer)
    {
        if (_isWaiting) return null;
        ValueTask<int> ready = _ssl.ReadAsync(Memory<byte>.Empty);
        if (!ready.IsCompleted)
        {
            _isWaiting = true;
            _waiting = ready.ConfigureAwait(false).GetAwaiter();
            _waiting.UnsafeOnCompleted(_onReadable);
            return null;
        }

        ready.GetAwaiter().GetResult();
        ValueTask<int> read = _ssl.ReadAsync(buffer);
        // With plaintext there, or at the end, SslStream does not wait. If it did it would keep memory that is not its own.
        if (!read.IsCompleted) throw new InvalidOperationException("A decryption did not complete.");
        return read.GetAwaiter().GetResult();
    }

    public int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        if (_unreported == 0) _unreported = Encrypt(pieces);
        if (_inner.WriteError is { } error) throw error;
        // In any case: TLS may have something of its own to send, in answer to what was read, and this wait must not end within this call.
        _transport.FlushWrites();
        if (_transport.IsClosed) throw new StreamClosedException(_transport.CloseReason, _transport.Error);
        if (!_transport.IsFlushed)
        {
            if (!_isAwaitingFlush) WaitForTransport();
            return null;
        }

        int written = _unreported;
        _unreported = 0;
        return written;
    }

    public void Shutdown()
    {
        // SslStream refuses to say it twice.
        if (_isShutDown) return;
        _isShutDown = true;
        // Completes at once, since writing to the transport does.
        _ssl.ShutdownAsync().GetAwaiter().GetResult();
        _transport.FlushWrites();
    }

    public void Dispose() => _ssl.Dispose();

    private void OnReadable()
    {
        try
        {
            _waiting.GetResult();
        }
        catch (Exception)
        {
            // The next read meets the same error, and throws it to whom it concerns.
        }

        _waiting = default;
        _isWaiting = false;
        _owner.OnPlaintextReadable();
    }

    private async void WaitForTransport()
    {
        _isAwaitingFlush = true;
        try
        {
            await _transport.FlushAsync();
        }
        catch (Exception error) when (error is StreamClosedException or ObjectDisposedException)
        {
            // The transport has told the stream above.
        }

        _isAwaitingFlush = false;
        _owner.OnTransportWritable();
    }

    private int Encrypt(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        ReadOnlyMemory<byte> first = pieces[0];
        if (pieces.Length == 1 || first.Length >= RecordSize)
        {
            // Whole records where more follows, so that the rest does not go into one of its own.
            int count = Math.Min(first.Length, BatchSize);
            if (pieces.Length > 1) count -= count % RecordSize;
            return EncryptNow(first[..count]);
        }

        byte[] record = ArrayPool<byte>.Shared.Rent(RecordSize);
        int length = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            ReadOnlySpan<byte> data = piece.Span[..Math.Min(piece.Length, RecordSize - length)];
            data.CopyTo(record.AsSpan(length));
            length += data.Length;
        }

        EncryptNow(record.AsMemory(0, length));
        ArrayPool<byte>.Shared.Return(record);
        return length;
    }

    private int EncryptNow(ReadOnlyMemory<byte> data)
    {
        ValueTask write = _ssl.WriteAsync(data);
        // Writing to the transport completes at once, so this does.
        if (!write.IsCompleted) throw new InvalidOperationException("An encryption did not complete.");
        write.GetAwaiter().GetResult();
        return data.Length;
    }
}
