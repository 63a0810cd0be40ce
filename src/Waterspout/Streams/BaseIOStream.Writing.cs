using System.Buffers;
using System.Runtime.CompilerServices;
using Waterspout.Writes;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Data of at least this size is sent without a copy. Below, copying costs less than a separate call would.
    private const int SmallestUncopied = 8 * 1024;

    /// <summary>Writes a copy of the data.</summary>
    /// <param name="data">May be empty. It may change as soon as this has returned. An array is taken by the next overload.</param>
    /// <param name="cancellationToken">
    /// Cancelling a write that has started closes the stream, since its bytes are in order among others.
    /// </param>
    /// <remarks>
    /// <para>Completion: when at most <see cref="IOStreamOptions.WriteHighWaterMark"/> bytes wait to be sent, which is at once for most
    /// writes. Everything written in one turn of the loop is sent together at its end. Several writes may be outstanding; they are sent,
    /// and complete, in order. Writing while connecting is legal. May be called from any thread.</para>
    /// <para>Difference from Tornado: its write completes when everything has been handed to the system; here <see cref="FlushAsync"/>
    /// does.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// await stream.WriteAsync("a header\n"u8);   // copied; sent at the end of the turn, together with what follows
    /// </code>
    /// </example>
    /// <exception cref="StreamClosedException">The stream is closed, or closed while the write waited.</exception>
    /// <exception cref="StreamBufferFullException">
    /// <see cref="IOStreamOptions.MaxWriteBufferSize"/> would be exceeded. Nothing of this write is sent, and the stream stays usable.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteWritesAsync"/> was already called.</exception>
    /// <exception cref="OperationCanceledException">The write was cancelled; if it had started, the stream is closed.</exception>
    public ValueTask WriteAsync(ReadOnlySpan<byte> data, CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent) return WriteOffLoop(data, cancellationToken);
        if (BeginWrite(data.Length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
        _writes.Append(data);
        return FinishWrite(isCopied: true, cancellationToken);
    }

    /// <summary>Writes the data; large data is not copied.</summary>
    /// <param name="data">Must not change until the write has completed. <c>AsSpan()</c> selects the overload that copies an array.</param>
    /// <param name="cancellationToken">Cancelling a write that has started closes the stream.</param>
    /// <remarks>
    /// Completion: small data as in the other overload; data of 8 KiB or more is sent without a copy, and the write completes when the
    /// system has accepted all of it. Errors are those of <see cref="WriteAsync(ReadOnlySpan{byte}, CancellationToken)"/>.
    /// </remarks>
    // For an array, which fits a span too.
    [OverloadResolutionPriority(1)]
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent)
        {
            return data.Length < SmallestUncopied
                ? WriteOffLoop(data.Span, cancellationToken)
                : WriteOffLoop((data, cancellationToken), static (stream, call) => stream.WriteAsync(call.data, call.cancellationToken));
        }

        if (data.Length < SmallestUncopied) return WriteAsync(data.Span, cancellationToken);
        if (BeginWrite(data.Length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
        _writes.AppendUncopied(data);
        return FinishWrite(isCopied: false, cancellationToken);
    }

    /// <summary>Writes several pieces of memory as one; they are gathered, and large ones are not copied.</summary>
    /// <param name="data">Must not change until the write has completed.</param>
    /// <param name="cancellationToken">Cancelling a write that has started closes the stream.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/remarks"/>
    public ValueTask WriteAsync(ReadOnlySequence<byte> data, CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent)
            return WriteOffLoop((data, cancellationToken), static (stream, call) => stream.WriteAsync(call.data, call.cancellationToken));
        if (BeginWrite(data.Length, cancellationToken) is { } refusal) return ValueTask.FromException(refusal);
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

    /// <summary>
    /// Writes what a pipe's writer has buffered. The buffer belongs to the stream from now on. A pipe waits where a stream would refuse more.
    /// </summary>
    internal ValueTask WriteAsync(WriteBuffer data)
    {
        if (!Loop.IsCurrent)
        {
            if (data.IsScattered || data.Length >= SmallestUncopied || !TryStage(data.First.Span, out ValueTask staged))
                return WriteOffLoop(data, static (stream, data) => stream.WriteAsync(data));
            data.Discard();
            return staged;
        }

        TakeStaged();
        if (RefuseWrite() is { } refusal)
        {
            data.Discard();
            return ValueTask.FromException(refusal);
        }

        _writes.Append(data);
        return FinishWrite(isCopied: true, default);
    }

    /// <summary>Waits until the operating system has accepted everything that has been written. May be called from any thread.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait and nothing else.</param>
    /// <exception cref="StreamClosedException">The stream is closed, or closed before that.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent)
            return OffLoop((Stream: this, cancellationToken), static call => call.Stream.FlushAsync(call.cancellationToken));
        TakeStaged();
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        if (_state.EndsWrites) return ValueTask.FromException(RefusedException());
        return FlushCore(cancellationToken);
    }

    /// <summary>Sends what has been written, then ends this side (FIN; over TLS close_notify). Reads continue.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait; the stream still accepts no more writes.</param>
    /// <remarks>
    /// Completion: when the system has accepted all of it. The stream closes by itself when the peer has sent EOF too. On the write end of
    /// a pipe this closes the stream. May be called from any thread. Tornado has no such call.
    /// </remarks>
    /// <exception cref="StreamClosedException">The stream is closed, or closed before everything was sent.</exception>
    /// <exception cref="NotSupportedException">
    /// The descriptor cannot be closed in one direction (a terminal). It stays writable.
    /// </exception>
    public ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (!Loop.IsCurrent)
            return WriteOffLoop(cancellationToken, static (stream, token) => stream.CompleteWritesAsync(token));
        TakeStaged();
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        if (_state.EndsWrites) return ValueTask.FromException(RefusedException());
        return CompleteWritesCoreAsync(cancellationToken);
    }

    /// <summary>Returns memory of the stream to write into; see <see cref="Advance"/>.</summary>
    /// <param name="sizeHint">The least number of bytes; zero for any.</param>
    /// <remarks>
    /// Valid until <see cref="Advance"/> or another write. With it, serializers that write into an <see cref="IBufferWriter{T}"/> need no
    /// copy. Off the loop's thread the memory is private, and copied by Advance; one thread at a time.
    /// </remarks>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteWritesAsync"/> was already called.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (!Loop.IsCurrent) return (OffLoopCalls.Reserved ??= new ArrayBufferWriter<byte>()).GetMemory(sizeHint);
        if (BeginWrite(0, default) is { } refusal) throw refusal;
        return _writes.Reserve(Math.Max(1, sizeHint));
    }

    /// <inheritdoc cref="GetMemory"/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Writes the first <paramref name="count"/> bytes of the memory that <see cref="GetMemory"/> returned.</summary>
    /// <remarks>
    /// They are sent at the end of the turn, like other writes. There is no wait: use <see cref="FlushAsync"/> for backpressure.
    /// </remarks>
    /// <exception cref="InvalidOperationException">There is no such memory, or less of it.</exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    /// <exception cref="StreamBufferFullException">
    /// <see cref="IOStreamOptions.MaxWriteBufferSize"/> would be exceeded; nothing of it is sent.
    /// </exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (!Loop.IsCurrent)
        {
            AdvanceOffLoop(count);
            return;
        }

        // No other write, which would end the loan of the memory.
        if (RefuseWrite(count, default) is { } refusal) throw refusal;
        if (!_writes.CommitReserved(count)) throw new InvalidOperationException("GetMemory has to come first, and to ask for as much.");
        if (Unsent > Options.WriteHighWaterMark) FlushWrites();
        else QueueFlush();
    }
}
