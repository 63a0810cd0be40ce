using System.Buffers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Waterspout.Loop;

namespace Waterspout.Tls;

/// <summary>TLS by SslStream.</summary>
/// <remarks>
/// <para>Theory of operation. SslStream's reads are awaited; the stream above calls this class like a non-blocking descriptor. A zero-byte
/// read connects the two: it completes when there is plaintext, or EOF, and SslStream holds no buffer while it waits. After that, reads
/// with a buffer complete at once, until there is no more; then the next zero-byte read is started. Since the transport completes on the
/// loop, inline, SslStream resumes there, decrypts there, and the reader above resumes there: no other thread takes part.</para>
/// <para>Writes go into SslStream 16 KiB at a time if there is that much, since each becomes a record of at most that size. A write is
/// reported only when the transport has handed all of its ciphertext to the system: only then are the bytes sent.</para>
/// <para>During a renegotiation (TLS 1.2), which SslStream does within a read, a write has to wait until it is over. Such an encryption is
/// awaited in the same way as the transport.</para>
/// </remarks>
internal sealed class SslStreamEngine : ITlsEngine
{
    // The most plaintext in one record (RFC 8446, 5.1).
    private const int RecordSize = 16 * 1024;

    // Four records at a time: what the kernel does not accept of them is copied, and the time on the loop stays short.
    private const int BatchSize = 4 * RecordSize;

    private readonly SslIOStream _owner;
    private readonly TlsTransport _transport;
    private readonly TransportStream _inner;
    private readonly SslStream _ssl;
    private readonly Func<SslStream, Task> _authenticate;
    private readonly Action _onReadable;
    private bool _isWaiting;
    private bool _isReady; // a read of no bytes has completed, and none with a buffer has followed it
    private ExceptionDispatchInfo? _readError;
    private bool _isAwaitingFlush;
    private bool _isShutDown;
    private int _unreported;
    private int _overhead; // of each record in the unreported data
    private Task? _encrypting; // an encryption that could not complete at once
    private byte[]? _record; // its plaintext, unless that is memory of the stream above
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

    public bool IsDeferred => _inner.IsDeferred;

    public bool IsHandshakeEncrypted => _inner.IsInApplicationData;

    public ValueTask WaitForPeerAsync() => _inner.WaitForPeerAsync();

    public ValueTask ReceiveFirstAsync() => _inner.ReceiveFirstAsync();

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => _inner.ReceiveAsync(buffer);

    public async Task HandshakeAsync(Handshake handshake)
    {
        _inner.Handshake = handshake;
        try
        {
            await _authenticate(_ssl).ConfigureAwait(false);
        }
        finally
        {
            _inner.Handshake = null;
        }
    }

    public int? Read(Memory<byte> buffer)
    {
        if (_isWaiting) return null;
        _readError?.Throw();
        try
        {
            return ReadNow(buffer);
        }
        catch (Exception error)
        {
            KeepReadError(error);
            throw;
        }
    }

    // If called again, SslStream itself may report EOF, as if it were regular.
    private void KeepReadError(Exception error) => _readError = ExceptionDispatchInfo.Capture(error);

    private int? ReadNow(Memory<byte> buffer)
    {
        if (!_isReady && !TryGetReady()) return null;
        _isReady = false;
        ValueTask<int> read = _ssl.ReadAsync(buffer);
        // With plaintext, or at EOF, SslStream does not wait. If it did it would keep memory that is not its own.
        if (!read.IsCompleted) throw new InvalidOperationException("A decryption did not complete.");
        return read.GetAwaiter().GetResult();
    }

    /// <summary>Whether there is plaintext, or EOF. If not, the stream above is notified when there is.</summary>
    private bool TryGetReady()
    {
        ValueTask<int> ready = _ssl.ReadAsync(Memory<byte>.Empty);
        if (ready.IsCompleted)
        {
            ready.GetAwaiter().GetResult();
            return true;
        }

        _isWaiting = true;
        _waiting = ready.ConfigureAwait(false).GetAwaiter();
        _waiting.UnsafeOnCompleted(_onReadable);
        return false;
    }

    public int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        if (_unreported == 0) _unreported = Encrypt(pieces);
        // Checked before its records are taken: one that completes between the two has been taken in part.
        bool isEncrypting = _encrypting is { IsCompleted: false };
        if (!isEncrypting) EndEncryption();
        _transport.TakeFromElsewhere();
        // Always: TLS may have something of its own to send, in answer to what was read, and this wait must not end within this call.
        _transport.FlushWrites();
        if (_transport.Error is { } error) throw error;
        if (_transport.IsClosed) throw new StreamClosedException(_transport.CloseReason);
        if (!_transport.IsFlushed || isEncrypting)
        {
            if (!_isAwaitingFlush) WaitForTransport();
            return null;
        }

        int written = _unreported;
        _unreported = 0;
        return written;
    }

    public int GetDelivered(long dropped)
    {
        if (_encrypting is not null) return 0;
        // All records but the last are full, and each has the same overhead.
        int records = (_unreported + RecordSize - 1) / RecordSize;
        int left = _unreported;
        for (; dropped > 0 && left > 0; records--)
        {
            int last = left - ((records - 1) * RecordSize);
            left -= last;
            dropped -= last + _overhead;
        }

        return left;
    }

    public void Shutdown()
    {
        // SslStream refuses a second shutdown.
        if (_isShutDown) return;
        _isShutDown = true;
        // Completes at once, since writes to the transport do.
        _ssl.ShutdownAsync().GetAwaiter().GetResult();
        _transport.FlushWrites();
    }

    public void Dispose() => _ssl.Dispose();

    private void OnReadable()
    {
        try
        {
            _waiting.GetResult();
            _isReady = true;
        }
        catch (Exception error)
        {
            KeepReadError(error);
        }

        _waiting = default;
        // SslStream has waited for something other than the transport: a user's callback in a renegotiation.
        if (!_owner.Loop.IsCurrent) _owner.Loop.TryPost(this, static engine => engine.Resume());
        else Resume();
    }

    /// <summary>Resumes the stream above, in the loop's context, which this call does not have.</summary>
    private void Resume()
    {
        _isWaiting = false;
        using SynchronizationContextScope scope = new(_owner.Loop.SynchronizationContext);
        _owner.OnPlaintextReadable();
    }

    private async void WaitForTransport()
    {
        _isAwaitingFlush = true;
        // Its outcome concerns the next write, which the stream above makes because of this one.
        if (_encrypting is { } encrypting)
        {
            await encrypting.ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        try
        {
            await _transport.FlushAsync();
        }
        catch (Exception error) when (error is StreamClosedException or ObjectDisposedException)
        {
            // The transport has notified the stream above.
        }

        _isAwaitingFlush = false;
        _owner.OnTransportWritable();
    }

    private int Encrypt(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        ReadOnlyMemory<byte> first = pieces[0];
        if (pieces.Length == 1 || first.Length >= RecordSize)
        {
            // Whole records if more follows, so that the rest does not become a record of its own.
            int count = Math.Min(first.Length, BatchSize);
            if (pieces.Length > 1) count -= count % RecordSize;
            return BeginEncryption(first[..count]);
        }

        byte[] record = _record = ArrayPool<byte>.Shared.Rent(RecordSize);
        int length = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            ReadOnlySpan<byte> data = piece.Span[..Math.Min(piece.Length, RecordSize - length)];
            data.CopyTo(record.AsSpan(length));
            length += data.Length;
        }

        return BeginEncryption(record.AsMemory(0, length));
    }

    private int BeginEncryption(ReadOnlyMemory<byte> data)
    {
        long position = _transport.WrittenPosition;
        ValueTask write = _ssl.WriteAsync(data);
        _overhead = (int)(_transport.WrittenPosition - position - data.Length) / ((data.Length + RecordSize - 1) / RecordSize);
        // Writes to the transport complete at once, so this does too, except during a renegotiation.
        if (write.IsCompletedSuccessfully) write.GetAwaiter().GetResult();
        else _encrypting = write.AsTask();
        return data.Length;
    }

    private void EndEncryption()
    {
        Task? encrypting = _encrypting;
        _encrypting = null;
        if (_record is { } record) ArrayPool<byte>.Shared.Return(record);
        _record = null;
        encrypting?.GetAwaiter().GetResult();
    }
}
