namespace Waterspout.Tls;

/// <summary>The transport as SslStream wants to see it.</summary>
/// <remarks>
/// Reading waits, and completes on the loop; during the handshake, which runs on the thread pool, it is handed over and completes there.
/// Writing never waits: the ciphertext goes into the transport's buffer. So an encryption is never interrupted in the middle, and it
/// is <see cref="SslStreamEngine.Write"/> that holds back while the transport is full.
/// </remarks>
internal sealed class TransportStream(TlsTransport transport) : Stream
{
    /// <summary>The end of the transport was given to SslStream. If it was not, an end that SslStream tells is one that the peer has told in TLS.</summary>
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

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ValueTask<int> read = transport.ReadOrEndAsync(buffer, cancellationToken);
        if (buffer.IsEmpty) return read;
        if (!read.IsCompletedSuccessfully) return NoteEndAsync(read);
        int count = read.Result;
        IsEndGiven |= count == 0;
        return new ValueTask<int>(count);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!transport.Loop.IsCurrent) return transport.WriteAsync(buffer, cancellationToken);
        transport.WriteWithoutWaiting(buffer.Span);
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

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> NoteEndAsync(ValueTask<int> read)
    {
        int count = await read.ConfigureAwait(false);
        IsEndGiven |= count == 0;
        return count;
    }
}
