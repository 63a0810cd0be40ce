using System.Buffers;

namespace Waterspout.Tls;

/// <summary>The transport as SslStream wants to see it.</summary>
/// <remarks>
/// <para>Reading waits, and completes on the loop; during the handshake, which runs on the thread pool, it is handed over and completes there.
/// Writing never waits: what the kernel does not take goes into the transport's buffer, from the pool by way of the loop's queue. So an encryption is never
/// interrupted in the middle, and it is <see cref="SslStreamEngine.Write"/> that holds back while the transport is full.</para>
/// <para>Each crossing between loop and pool costs both sides more than what is read or written. A handshake needs two in each direction, the
/// least that its two flights allow: a write is not waited for, the read behind it goes to the loop in the same turn, and a server goes to
/// the pool with the client's first bytes in its hands.</para>
/// </remarks>
internal sealed class TransportStream(TlsTransport transport) : Stream
{
    // A ClientHello with a post-quantum key share has 1.7 KB. What is longer is read on the way that all else is.
    private const int FirstSize = 4096;

    private byte[]? _first;
    private ReadOnlyMemory<byte> _ahead;
    private RecordCursor _records;

    /// <summary>The end of the transport was given to SslStream. If it was not, an end that SslStream tells is one that the peer has told in TLS.</summary>
    internal bool IsEndGiven { get; private set; }

    /// <summary>What the descriptor said to ciphertext. SslStream is not told, in the middle of its write: the engine is, after it.</summary>
    internal Exception? WriteError { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Receives the first bytes of the peer, on the loop, for the first reads on another thread. Holds no buffer while the peer is silent.</summary>
    internal async ValueTask ReceiveAheadAsync()
    {
        await transport.ReadOrEndAsync(Memory<byte>.Empty, CancellationToken.None);
        _first = ArrayPool<byte>.Shared.Rent(FirstSize);
        _ahead = _first.AsMemory(0, await transport.ReadOrEndAsync(_first, CancellationToken.None));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return WaitAsync(cancellationToken);
        if (!_ahead.IsEmpty) return new ValueTask<int>(Note(buffer, TakeAhead(buffer.Span)));
        buffer = buffer[.._records.Limit(buffer.Length)];
        if (transport.Loop.IsCurrent && transport.ReceivePastBuffer(buffer) is > 0 and var received) return new ValueTask<int>(Note(buffer, received));
        ValueTask<int> read = transport.ReadOrEndAsync(buffer, cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<int>(Note(buffer, read.Result)) : NoteAsync(buffer, read);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!transport.Loop.IsCurrent) transport.WriteFromElsewhere(buffer.ToArray());
        else if (WriteError is null) WriteNow(buffer.Span);
        return default;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // Records are sent one by one, from SslStream's own buffer: to gather four for one call costs more for the copy than the calls do (590 us
    // a MiB, and 540 so).
    private void WriteNow(ReadOnlySpan<byte> data)
    {
        try
        {
            transport.WriteThrough(data);
        }
        catch (Exception error)
        {
            WriteError = error;
        }
    }

    private int TakeAhead(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _ahead.Length);
        _ahead.Span[..count].CopyTo(buffer);
        _ahead = _ahead[count..];
        if (!_ahead.IsEmpty) return count;
        ArrayPool<byte>.Shared.Return(_first!);
        _first = null;
        return count;
    }

    private ValueTask<int> WaitAsync(CancellationToken cancellationToken) =>
        !_ahead.IsEmpty || (transport.Loop.IsCurrent && transport.HasSomething) ? new ValueTask<int>(0) : transport.ReadOrEndAsync(Memory<byte>.Empty, cancellationToken);

    private int Note(ReadOnlyMemory<byte> buffer, int count)
    {
        IsEndGiven |= count == 0;
        _records.Advance(buffer.Span[..count]);
        return count;
    }

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> NoteAsync(Memory<byte> buffer, ValueTask<int> read)
    {
        int count = await read.ConfigureAwait(false);
        return Note(buffer, count);
    }
}
