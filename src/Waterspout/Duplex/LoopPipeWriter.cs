using System.IO.Pipelines;
using Waterspout.Diagnostics;
using Waterspout.Writes;

namespace Waterspout.Duplex;

/// <summary>The sending side of a stream that keeps its loop: a flush is a write of the stream.</summary>
/// <remarks>
/// A flush that is cancelled ends its wait only. The stream has the data by then, and sends it once. The platform's writer over a
/// <see cref="Stream"/> would write it again.
/// </remarks>
internal sealed class LoopPipeWriter(BaseIOStream stream, Action<Exception?> onCompleted) : BufferedPipeWriter
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _cancellation; // of the pending flush
    private bool _isCancelled; // the next flush, or the pending one
    private int _isCompleted;

    protected override bool IsCompleted => Volatile.Read(ref _isCompleted) != 0;

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        ThrowIfCompleted();
        if (Volatile.Read(ref _cancellation) is not null) throw AlreadyFlushing();
        WriteBuffer? data = TakeUnflushed();
        if (!source.IsEmpty) (data ??= WriteBuffer.Rent()).Append(source.Span);
        // At its end even a flush of nothing says so.
        ValueTask written = data is not null ? stream.WriteAsync(data) : default;
        bool isOver = data is null && stream.IsClosed;
        return written.IsCompletedSuccessfully ? new ValueTask<FlushResult>(TakeResult(isOver)) : WaitAsync(written, cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        lock (_lock)
        {
            _isCancelled = true;
            _cancellation?.TrySetResult();
        }
    }

    // It does not wait: what was flushed is still being sent.
    public override void Complete(Exception? exception = null) => _ = CompleteAsync(exception).AsTask();

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        if (Interlocked.Exchange(ref _isCompleted, 1) != 0) return;
        try
        {
            WriteBuffer? rest = TakeUnflushed();
            if (exception is not null) rest?.Discard();
            else if (rest is not null) await stream.WriteAsync(rest).ConfigureAwait(false);
            if (exception is null) await stream.CompleteWritesAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or NotSupportedException or InvalidOperationException)
        {
            // Closed already; or there is no half-close, and the close is the end.
        }

        onCompleted(exception);
    }

    private async ValueTask<FlushResult> WaitAsync(ValueTask written, CancellationToken cancellationToken)
    {
        Task write = written.AsTask();
        TaskCompletionSource cancellation = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _cancellation = cancellation;
            if (_isCancelled) cancellation.SetResult();
        }

        try
        {
            await Task.WhenAny(write, cancellation.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (write.IsCompleted) await write.ConfigureAwait(false);
            return TakeResult(isOver: false);
        }
        catch (IOException)
        {
            // A stream that has closed is a reader that has completed.
            return TakeResult(isOver: true);
        }
        finally
        {
            if (!write.IsCompletedSuccessfully) write.IgnoreFailure();
            lock (_lock) _cancellation = null;
        }
    }

    private FlushResult TakeResult(bool isOver)
    {
        lock (_lock)
        {
            FlushResult result = new(_isCancelled, isOver);
            _isCancelled = false;
            return result;
        }
    }
}
