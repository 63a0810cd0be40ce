using System.IO.Pipelines;
using Waterspout.Writes;

namespace Waterspout.Duplex;

/// <summary>
/// A <see cref="PipeWriter"/> whose unflushed data is in a buffer of its own. That belongs to the writer alone, and needs no lock.
/// </summary>
internal abstract class BufferedPipeWriter : PipeWriter
{
    // Below this, memory is not worth lending.
    private const int SmallestLoan = 256;

    private WriteBuffer? _unflushed;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _unflushed?.Length ?? 0;

    /// <summary>The writer has been completed.</summary>
    protected abstract bool IsCompleted { get; }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        ThrowIfCompleted();
        return (_unflushed ??= WriteBuffer.Rent()).Reserve(Math.Max(sizeHint, SmallestLoan));
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0) return;
        // As with the platform's pipes, the rest of the memory stays usable, and Kestrel does use it.
        if (_unflushed?.CommitReserved(bytes, staysLent: true) != true)
        {
            throw new InvalidOperationException(
                "More was written than the memory that was lent last has room for. Call GetMemory before each Advance.");
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => WriteAsync(default, cancellationToken);

    /// <summary>Takes what is to be flushed. Null if there is nothing.</summary>
    protected WriteBuffer? TakeUnflushed()
    {
        WriteBuffer? data = _unflushed;
        _unflushed = null;
        if (data is not { Length: 0 }) return data;
        data.Discard(); // memory that was lent, and not used
        return null;
    }

    protected void ThrowIfCompleted()
    {
        if (IsCompleted) throw Completed();
    }

    protected virtual InvalidOperationException Completed() => new("The writer has been completed.");

    protected static InvalidOperationException AlreadyFlushing() => new("Another write or flush is under way.");
}
