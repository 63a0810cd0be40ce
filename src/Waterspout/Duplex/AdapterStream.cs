namespace Waterspout.Duplex;

/// <summary>
/// What <see cref="Stream"/> demands of every connected stream, whatever is below it: its many forms come down to four calls.
/// </summary>
/// <remarks>
/// Synchronous calls block the thread, so on a loop they are refused at once: the loop that would complete them is the one that is blocked.
/// A time-out ends the wait of a synchronous call; what has arrived is not lost, and what was written is still sent.
/// </remarks>
internal abstract class AdapterStream : Stream
{
    private int _readTimeout = Timeout.Infinite;
    private int _writeTimeout = Timeout.Infinite;
    private int _isDisposed;

    public override bool CanRead => !IsDisposed;

    public override bool CanWrite => !IsDisposed;

    public override bool CanSeek => false;

    public override bool CanTimeout => true;

    public override int ReadTimeout
    {
        get => _readTimeout;
        set => _readTimeout = CheckTimeout(value);
    }

    public override int WriteTimeout
    {
        get => _writeTimeout;
        set => _writeTimeout = CheckTimeout(value);
    }

    public override long Length => throw NoSeeking();

    public override long Position
    {
        get => throw NoSeeking();
        set => throw NoSeeking();
    }

    protected bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        CheckSynchronousCall();
        return ReadNow(buffer.AsMemory(offset, count), _readTimeout);
    }

    public override int Read(Span<byte> buffer)
    {
        CheckSynchronousCall();
        if (buffer.IsEmpty) return ReadNow(default, _readTimeout);
        // A span cannot wait. A longer one than this is read in several calls, as any read may be.
        byte[] copy = System.Buffers.ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, 64 * 1024));
        try
        {
            int count = ReadNow(copy.AsMemory(0, Math.Min(copy.Length, buffer.Length)), _readTimeout);
            copy.AsSpan(0, count).CopyTo(buffer);
            return count;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(copy);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        return ReadCoreAsync(buffer, cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        CheckSynchronousCall();
        WriteNow(buffer, _writeTimeout);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : WriteCoreAsync(buffer, cancellationToken);
    }

    /// <summary>Waits until everything has been handed to the system, for at most the write time-out.</summary>
    public override void Flush()
    {
        CheckSynchronousCall();
        FlushNow(_writeTimeout);
    }

    /// <summary>Completes when everything has been handed to the system.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : FlushCoreAsync(cancellationToken);
    }

    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override long Seek(long offset, SeekOrigin origin) => throw NoSeeking();

    public override void SetLength(long value) => throw NoSeeking();

    /// <summary>
    /// Closes the connection in an orderly way: completes when everything has been handed to the system; the rest follows by itself.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0) await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes the connection in an orderly way, and does not wait for that.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0) _ = CloseAsync();
        base.Dispose(disposing);
    }

    protected abstract ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    protected abstract int ReadNow(Memory<byte> buffer, int timeout);

    protected abstract ValueTask WriteCoreAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    protected abstract void WriteNow(ReadOnlySpan<byte> data, int timeout);

    protected abstract Task FlushCoreAsync(CancellationToken cancellationToken);

    protected abstract void FlushNow(int timeout);

    /// <summary>Ends what is pending, and closes. Must not fail.</summary>
    protected abstract Task CloseAsync();

    /// <summary>A call that blocks would block the thread that is to complete it.</summary>
    protected abstract bool WouldDeadlock { get; }

    protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);

    private void CheckSynchronousCall()
    {
        ThrowIfDisposed();
        if (WouldDeadlock)
        {
            throw new InvalidOperationException(
                "A synchronous call on the loop would block the loop, and with it this call. Use the asynchronous form, or another thread.");
        }
    }

    private static int CheckTimeout(int value) => value is > 0 or Timeout.Infinite
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "A time-out is positive, or Timeout.Infinite.");

    private static NotSupportedException NoSeeking() => new("A connection has no position and no length.");
}
