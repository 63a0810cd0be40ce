using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Waterspout.Loop;

namespace Waterspout.Tls;

/// <summary>The transport as the <see cref="Stream"/> that SslStream needs.</summary>
/// <remarks>
/// <para>Reads wait, and complete on the loop; during the handshake, which is computed elsewhere, the handshake makes them. Writes never
/// wait: what the kernel does not accept goes into the transport's buffer, from another thread through the loop, in the order of writing.
/// So an encryption is never interrupted in the middle; <see cref="SslStreamEngine.Write"/> holds back while the transport is full.</para>
/// <para>Each crossing between threads costs both sides more than what is read or written. A handshake needs two in each direction, the
/// minimum for its two flights: a write is not awaited, the read after it takes it to the loop, and a server begins with the client's first
/// bytes.</para>
/// <para>A read that had to wait completes without the loop's synchronization context. Under one, tasks whose awaiters requested no context
/// continue on the pool instead of inline; and a renegotiation (TLS 1.2) consists of such tasks. On the pool it would run concurrently with
/// the loop's own writes, and its records would be sent between those that are encrypted here, in another order than that of their
/// keys.</para>
/// </remarks>
internal sealed class TransportStream : Stream, IValueTaskSource<int>
{
    // A ClientHello with a post-quantum key share has 1.7 KB. Longer hellos are read in the usual way.
    private const int FirstSize = 4096;

    private readonly TlsTransport _transport;
    private readonly Action _onReceived;
    private TurnBudget _budget = new();
    private ReceivedRecords _records;
    private ManualResetValueTaskSourceCore<int> _waiting;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _read;
    private Memory<byte> _buffer; // of the pending read

    internal TransportStream(TlsTransport transport)
    {
        _transport = transport;
        _onReceived = OnReceived;
    }

    /// <summary>
    /// SslStream has received EOF of the transport. If it has not, an EOF that SslStream reports is a close_notify of the peer.
    /// </summary>
    internal bool IsEndGiven { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The handshake, while there is one. It makes SslStream's reads, which come from other threads.</summary>
    internal Handshake? Handshake
    {
        get;
        set
        {
            field = value;
            _records.IsHandshake = value is not null;
        }
    }

    /// <summary>What was received last may hold data; in TLS 1.3, it is encrypted.</summary>
    internal bool IsInApplicationData => _records.IsInApplicationData;

    /// <summary>Waits, on the loop, until the peer has sent something, and holds no buffer meanwhile.</summary>
    internal async ValueTask WaitForPeerAsync() => await _transport.ReadOrEofAsync(Memory<byte>.Empty, CancellationToken.None);

    /// <summary>Receives the first bytes of the peer, on the loop, for the first reads on another thread.</summary>
    internal async ValueTask ReceiveFirstAsync()
    {
        byte[] memory = ArrayPool<byte>.Shared.Rent(FirstSize);
        _records.Keep(memory, await _transport.ReadOrEofAsync(memory, CancellationToken.None));
    }

    /// <summary>Records wait for the next turn of the loop. The stream is notified when they have been read.</summary>
    internal bool IsDeferred { get; private set; }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Handshake is not { } handshake) return ReceiveAsync(buffer, cancellationToken);
        return _records.IsEmpty ? handshake.ReadAsync(buffer) : new ValueTask<int>(_records.Take(buffer.Span));
    }

    /// <summary>Receives, on the loop.</summary>
    internal ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return ReadNothingAsync(cancellationToken);
        return !_transport.Loop.IsCurrent || _budget.Allows(_transport.Loop.Turn, _records.LastSize)
            ? Receive(buffer, cancellationToken)
            : DeferAsync(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    // Never waits, so SslStream may send an alert synchronously too.
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_transport.Loop.IsCurrent) WriteNow(buffer);
        else _transport.WriteFromElsewhere(buffer, isTakenLater: Handshake is not null);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // Records are sent one by one, from SslStream's own buffer: gathering four for one call costs more for the copy than the calls do (590
    // us a MiB, against 540 without).
    private void WriteNow(ReadOnlySpan<byte> data)
    {
        try
        {
            _transport.TakeFromElsewhere();
            _transport.WriteThrough(data);
        }
        catch (Exception error)
        {
            // Not thrown in the middle of SslStream's write: the engine sees the error after it.
            _transport.Fail(error);
        }
    }

    private ValueTask<int> Receive(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_records.IsEmpty) return new ValueTask<int>(_records.Take(buffer.Span));
        buffer = buffer[.._records.Limit(buffer.Length)];
        if (_transport.Loop.IsCurrent && _transport.ReceiveBypassingBuffer(buffer) is > 0 and var received)
            return new ValueTask<int>(Give(buffer, received));
        ValueTask<int> read = _transport.ReadOrEofAsync(buffer, cancellationToken);
        if (!read.IsCompleted) return WaitAsync(buffer, read);
        return read.IsCompletedSuccessfully ? new ValueTask<int>(Give(buffer, read.Result)) : read;
    }

    /// <summary>Gives SslStream what was received into its buffer, up to the end of a record.</summary>
    private int Give(ReadOnlyMemory<byte> buffer, int count)
    {
        if (buffer.IsEmpty) return count;
        IsEndGiven |= count == 0;
        return _records.Give(buffer.Span[..count]);
    }

    /// <summary>Reads in the next turn of the loop, or a later one if others have waited longer.</summary>
    private ValueTask<int> DeferAsync(Memory<byte> buffer)
    {
        ValueTask<int> result = new(this, _waiting.Version);
        _buffer = buffer;
        IsDeferred = true;
        _transport.Loop.Defer(this, static stream => stream.Resume());
        return result;
    }

    private void Resume()
    {
        IsDeferred = false;
        _budget.Begin(_transport.Loop.Turn);
        ValueTask<int> read = Receive(_buffer, CancellationToken.None);
        if (read.IsCompleted) Complete(static (_, read) => read.GetAwaiter().GetResult(), read);
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        try
        {
            return _waiting.GetResult(token);
        }
        finally
        {
            // At once: the waiting operation is pooled, and this stream must not keep its next use, by another stream, alive.
            _waiting.Reset();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _waiting.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiting.OnCompleted(continuation, state, token, flags);

    private ValueTask<int> ReadNothingAsync(CancellationToken cancellationToken)
    {
        if (!_records.IsEmpty || (_transport.Loop.IsCurrent && _transport.HasDataOrEof)) return new ValueTask<int>(0);
        ValueTask<int> read = _transport.ReadOrEofAsync(Memory<byte>.Empty, cancellationToken);
        return read.IsCompleted ? read : WaitAsync(Memory<byte>.Empty, read);
    }

    // SslStream starts one read at a time, so one source is enough for all of them.
    private ValueTask<int> WaitAsync(Memory<byte> buffer, ValueTask<int> read)
    {
        ValueTask<int> result = new(this, _waiting.Version);
        _buffer = buffer;
        _read = read.ConfigureAwait(false).GetAwaiter();
        _read.UnsafeOnCompleted(_onReceived);
        return result;
    }

    private void OnReceived()
    {
        ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter read = _read;
        // The operation behind it is reused by the next read of any stream, which must not be kept alive by this one.
        _read = default;
        Complete(static (stream, read) => stream.Give(stream._buffer, read.GetResult()), read);
    }

    private void Complete<T>(Func<TransportStream, T, int> getResult, T read)
    {
        using SynchronizationContextScope scope = new(null);
        int count;
        try
        {
            count = getResult(this, read);
        }
        catch (Exception error)
        {
            _buffer = default;
            _waiting.SetException(error);
            return;
        }

        _buffer = default;
        _waiting.SetResult(count);
    }
}
