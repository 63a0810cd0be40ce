using System.Buffers;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // From here on a write's data is sent from where it is. Below, copying it costs less than a call of its own would.
    private const int SmallestUncopied = 8 * 1024;

    /// <summary>Writes a copy of the data.</summary>
    /// <param name="data">May be empty. An array is taken as a span, and so is copied: <c>AsMemory()</c> on it chooses the form that does not copy.</param>
    /// <param name="cancellationToken">Cancelling a write that has begun closes the stream: its bytes are in order among others.</param>
    /// <remarks>
    /// <para>Completion: when no more than <see cref="IOStreamOptions.WriteHighWaterMark"/> bytes wait to be sent, which is at once for
    /// most writes. What is written within one turn of the loop leaves together at its end. Several writes may be outstanding; they
    /// are sent, and complete, in order. Writing while connecting is legal.</para>
    /// <para>Difference from Tornado: that completes when everything has been handed to the system, which here is
    /// <see cref="FlushAsync"/>.</para>
    /// </remarks>
    /// <exception cref="StreamClosedException">The stream is closed, or closed while the write waited.</exception>
    /// <exception cref="StreamBufferFullException">
    /// <see cref="IOStreamOptions.MaxWriteBufferSize"/> would be passed. Nothing of this write is sent, and the stream stays usable.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteWritesAsync"/> was called before.</exception>
    /// <exception cref="OperationCanceledException">The write was cancelled; if it had begun, the stream is closed.</exception>
    public ValueTask WriteAsync(ReadOnlySpan<byte> data, CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent) return WriteAsync((ReadOnlyMemory<byte>)data.ToArray(), cancellationToken);
        if (RefuseWrite(data.Length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
        _writes.Append(data);
        return FinishWrite(isCopied: true, cancellationToken);
    }

    /// <summary>Writes the data; large data is not copied.</summary>
    /// <param name="data">Must be left alone until the write has completed.</param>
    /// <param name="cancellationToken">Cancelling a write that has begun closes the stream.</param>
    /// <remarks>
    /// Completion: for small data as for the other form; data of 8 KiB or more is sent from where it is, and the write completes when
    /// all of it is in the hands of the system. Errors are those of <see cref="WriteAsync(ReadOnlySpan{byte}, CancellationToken)"/>.
    /// </remarks>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent) return WriteOffLoop((data, cancellationToken), static (stream, call) => stream.WriteAsync(call.data, call.cancellationToken));
        if (data.Length < SmallestUncopied) return WriteAsync(data.Span, cancellationToken);
        if (RefuseWrite(data.Length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
        _writes.AppendUncopied(data);
        return FinishWrite(isCopied: false, cancellationToken);
    }

    /// <summary>Writes several pieces of memory as one: gathered, large ones not copied.</summary>
    /// <param name="data">Must be left alone until the write has completed.</param>
    /// <param name="cancellationToken">Cancelling a write that has begun closes the stream.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/remarks"/>
    public ValueTask WriteAsync(ReadOnlySequence<byte> data, CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent) return WriteOffLoop((data, cancellationToken), static (stream, call) => stream.WriteAsync(call.data, call.cancellationToken));
        if (RefuseWrite(data.Length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
        bool isCopied = true;
        foreach (ReadOnlyMemory<byte> piece in data)
        {
            if (piece.Length < SmallestUncopied)
            {
                _writes.Append(piece.Span);
                continue;
            }

            _writes.AppendUncopied(piece);
            isCopied = false;
        }

        return FinishWrite(isCopied, cancellationToken);
    }

    /// <summary>Waits until everything that has been written is in the hands of the operating system.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait and nothing else.</param>
    /// <exception cref="StreamClosedException">The stream is closed, or closed before that.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent) return OffLoop((Stream: this, cancellationToken), static call => call.Stream.FlushAsync(call.cancellationToken));
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        if (_state.EndsWrites) return ValueTask.FromException(RefusedException());
        return FlushCore(cancellationToken);
    }

    /// <summary>Sends what has been written, then tells the peer that nothing more comes (FIN; over TLS close_notify). Reading goes on.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait; the stream takes no more writes all the same.</param>
    /// <remarks>
    /// The stream closes by itself when the peer has ended its side too. On the writing end of a pipe this closes the stream.
    /// Tornado has no such call.
    /// </remarks>
    /// <exception cref="StreamClosedException">The stream is closed, or closed before everything was sent.</exception>
    /// <exception cref="NotSupportedException">The descriptor cannot be closed in one direction (a terminal). It stays writable.</exception>
    public ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent) return OffLoop((Stream: this, cancellationToken), static call => call.Stream.CompleteWritesAsync(call.cancellationToken));
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        if (_state.EndsWrites) return ValueTask.FromException(RefusedException());
        return CompleteWritesCoreAsync(cancellationToken);
    }

    /// <summary>Memory of the stream's own to write into; see <see cref="Advance"/>.</summary>
    /// <param name="sizeHint">The least number of bytes; zero for some.</param>
    /// <remarks>
    /// Valid until <see cref="Advance"/> or another write. Serializers that write into an <see cref="IBufferWriter{T}"/> need no copy so.
    /// Off the loop's thread the memory is a private one, and copied by Advance; one thread at a time.
    /// </remarks>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteWritesAsync"/> was called before.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (!Loop.IsCurrent) return (_staging ??= new ArrayBufferWriter<byte>()).GetMemory(sizeHint);
        if (RefuseWrite(0, default) is { } refusal) throw refusal;
        return _writes.Reserve(Math.Max(1, sizeHint));
    }

    /// <inheritdoc cref="GetMemory"/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Writes the first <paramref name="count"/> bytes of what <see cref="GetMemory"/> returned.</summary>
    /// <remarks>They leave at the end of the turn, as with other writes. There is no wait: use <see cref="FlushAsync"/> for backpressure.</remarks>
    /// <exception cref="InvalidOperationException">There is no such memory, or not so much of it.</exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    /// <exception cref="StreamBufferFullException"><see cref="IOStreamOptions.MaxWriteBufferSize"/> would be passed; nothing of it is sent.</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (!Loop.IsCurrent)
        {
            AdvanceOffLoop(count);
            return;
        }

        if (RefuseWrite(count, default) is { } refusal) throw refusal;
        if (!_writes.CommitReserved(count)) throw new InvalidOperationException("GetMemory has to come first, and to ask for as much.");
        if (Unsent > Options.WriteHighWaterMark) FlushWrites();
        else QueueFlush();
    }
}
