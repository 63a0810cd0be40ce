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
/// with a buffer complete at once, until there is no more; then the next zero-byte read is started. Each read of the stream first receives
/// for the read that SslStream waits for: SslStream resumes within that call, and decrypts there. No other thread takes part.</para>
/// <para>Writes go into SslStream 16 KiB at a time if there is that much, since each becomes a record of at most that size. The bytes of a
/// record are reported as written when the system has all of it: only then are they sent.</para>
/// <para>During a renegotiation (TLS 1.2), which SslStream does within a read, a write has to wait until it is over.</para>
/// </remarks>
internal sealed class SslStreamEngine : ITlsEngine
{
    // The most plaintext in one record (RFC 8446, 5.1).
    private const int RecordSize = 16 * 1024;

    // Four records at a time: what the kernel does not accept of them is copied, and the time on the loop stays short.
    private const int BatchSize = 4 * RecordSize;

    private readonly SslIOStream _owner;
    private readonly TransportStream _inner;
    private readonly CiphertextInput _input;
    private readonly CiphertextOutput _output;
    private readonly SslStream _ssl;
    private readonly Func<SslStream, Task> _authenticate;
    private readonly Action _onReadable;
    private bool _isWaiting;
    private bool _isReading; // within a read of the stream above
    private bool _isReady; // a read of no bytes has completed, and none with a buffer has followed it
    private ExceptionDispatchInfo? _readError;
    private bool _isAwaitingEncryption;
    private bool _isShutDown;
    private int _unreported;
    private int _overhead; // of each record in the unreported data
    private Task? _encrypting; // an encryption that could not complete at once
    private byte[]? _record; // its plaintext, unless that is memory of the stream above
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _waiting;

    internal SslStreamEngine(SslIOStream owner, Func<SslStream, Task> authenticate)
    {
        _owner = owner;
        _authenticate = authenticate;
        _inner = new TransportStream(owner);
        (_input, _output) = (_inner.Input, _inner.Output);
        _ssl = new SslStream(_inner);
        _onReadable = OnReadable;
    }

    internal CiphertextOutput Output => _output;

    public SslProtocols Protocol => _ssl.SslProtocol;

    public TlsCipherSuite CipherSuite => _ssl.NegotiatedCipherSuite;

    public SslApplicationProtocol ApplicationProtocol => _ssl.NegotiatedApplicationProtocol;

    public string TargetHostName => _ssl.TargetHostName;

    public X509Certificate2? RemoteCertificate => _ssl.RemoteCertificate as X509Certificate2;

    public bool IsEndAnnounced => _input.IsEndAnnounced;

    public bool IsTruncated => _input.IsEndGiven;

    public Exception? TransportError => _input.Error ?? _output.Error;

    public bool IsFlushed => _output.Unsent == 0;

    public bool IsDeferred => _input.IsDeferred;

    public bool IsHandshakeEncrypted => _input.IsInApplicationData;

    public void OnEvents(IOEvents events)
    {
        _input.Report(events);
        if ((events & (IOEvents.Write | IOEvents.Error)) == 0) return;
        _output.OnWritable();
        // Otherwise the write that waits does it.
        if (_unreported == 0) _output.Flush();
    }

    public void ContinueHandshake() => _input.Continue();

    public void Keep(ReadOnlySpan<byte> received) => _input.Keep(received);

    public ValueTask WaitForPeerAsync()
    {
        ValueTask<int> wait = _input.ReadAsync(Memory<byte>.Empty);
        return wait.IsCompletedSuccessfully ? default : new ValueTask(wait.AsTask());
    }

    public ValueTask ReceiveFirstAsync() => _input.ReceiveFirstAsync();

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => _input.ReadAsync(buffer);

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
        if (_isWaiting && !TryContinue()) return null;
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

    /// <summary>Receives for the read that SslStream waits for. True if that has completed it.</summary>
    private bool TryContinue()
    {
        _isReading = true;
        _input.Continue();
        _isReading = false;
        return !_isWaiting;
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
        // Checked before its records are sent: one that completes between the two has been sent in part.
        Task? encrypting = _encrypting is { IsCompleted: false } task ? task : null;
        if (encrypting is null) EndEncryption();
        _output.Flush(isLast: _owner.IsClosed);
        if (encrypting is not null)
        {
            if (!_isAwaitingEncryption) WaitForEncryption(encrypting);
            return null;
        }

        int left = CountUnsent();
        int written = _unreported - left;
        _unreported = left;
        if (written > 0) return written;
        return _output.Error is { } error ? throw error : null;
    }

    /// <summary>How many of the bytes that are encrypted but not reported as written are in records that have not been sent.</summary>
    private int CountUnsent()
    {
        long unsent = _output.Unsent;
        int count = 0;
        // All records but the last are full, and each has the same overhead.
        for (; unsent > 0 && count < _unreported; unsent -= _overhead)
        {
            int record = (_unreported - count) % RecordSize is > 0 and int part ? part : RecordSize;
            count += record;
            unsent -= record;
        }

        return count;
    }

    public void FlushLater() => _output.FlushLater();

    public void Flush() => _output.Flush();

    public void Shutdown()
    {
        // SslStream refuses a second shutdown.
        if (_isShutDown) return;
        _isShutDown = true;
        // Completes at once, since writes to the transport do.
        _ssl.ShutdownAsync().GetAwaiter().GetResult();
        _output.Flush();
    }

    public void Dispose()
    {
        // SslStream returns its buffers when nothing waits any more.
        _input.Close(new StreamClosedException(CloseReason.Local));
        _output.Drop();
        _ssl.Dispose();
    }

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
        else if (_isReading) _isWaiting = false;
        else Resume();
    }

    /// <summary>Resumes the stream above, in the loop's context, which this call does not have.</summary>
    private void Resume()
    {
        _isWaiting = false;
        using SynchronizationContextScope scope = new(_owner.Loop.SynchronizationContext);
        _owner.OnPlaintextReadable();
    }

    private async void WaitForEncryption(Task encrypting)
    {
        _isAwaitingEncryption = true;
        // Its outcome concerns the next write, which the stream above makes because of this one.
        await encrypting.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _isAwaitingEncryption = false;
        _owner.OnEncryptionPossible();
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
        long position = _output.Position;
        ValueTask write = _ssl.WriteAsync(data);
        _overhead = (int)(_output.Position - position - data.Length) / ((data.Length + RecordSize - 1) / RecordSize);
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
