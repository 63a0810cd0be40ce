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
/// <para>Writes are those of <see cref="RecordWriter"/>.</para>
/// </remarks>
internal sealed class SslStreamEngine : ITlsEngine
{
    private readonly SslIOStream _owner;
    private readonly TransportStream _inner;
    private readonly CiphertextInput _input;
    private readonly CiphertextOutput _output;
    private readonly SslStream _ssl;
    private readonly RecordWriter _writer;
    private readonly Func<SslStream, Task> _authenticate;
    private readonly Action _onReadable;
    private bool _isWaiting;
    private bool _isReading; // within a read of the stream above
    private bool _isReady; // a read of no bytes has completed, and none with a buffer has followed it
    private ExceptionDispatchInfo? _readError;
    private bool _isShutDown;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _waiting;

    internal SslStreamEngine(SslIOStream owner, Func<SslStream, Task> authenticate)
    {
        _owner = owner;
        _authenticate = authenticate;
        _inner = new TransportStream(owner);
        (_input, _output) = (_inner.Input, _inner.Output);
        _ssl = new SslStream(_inner);
        _writer = new RecordWriter(owner, _ssl, _output);
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
        if (!_writer.HasUnreported) _output.Flush();
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

    public int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => _writer.Write(pieces);

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
}
