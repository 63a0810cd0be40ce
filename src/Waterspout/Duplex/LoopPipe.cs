using System.IO.Pipelines;

namespace Waterspout.Duplex;

/// <summary>
/// A stream that keeps its loop, as pipes: the platform's own, over its <see cref="Stream"/>, with the ends of a connection.
/// </summary>
internal sealed class LoopPipe : IDuplexPipe
{
    private readonly BaseIOStream _stream;
    private int _completions;

    internal LoopPipe(BaseIOStream stream)
    {
        _stream = stream;
        LoopStream bytes = new(stream);
        // Zero-byte reads first, so that an idle connection holds no buffer.
        Input = new Reader(this, PipeReader.Create(bytes, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true)));
        Output = new Writer(this, PipeWriter.Create(bytes, new StreamPipeWriterOptions(leaveOpen: true)));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    private void OnCompleted(Exception? error)
    {
        bool isLast = Interlocked.Increment(ref _completions) == 2;
        if (error is not null) _stream.Close(error);
        else if (isLast) _ = _stream.CloseAsync().AsTask();
    }

    private sealed class Reader(LoopPipe owner, PipeReader inner) : PipeReader
    {
        private int _isCompleted;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => inner.ReadAsync(cancellationToken);

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null)
        {
            if (Interlocked.Exchange(ref _isCompleted, 1) != 0) return;
            inner.Complete(exception);
            owner.OnCompleted(exception);
        }
    }

    private sealed class Writer(LoopPipe owner, PipeWriter inner) : PipeWriter
    {
        private int _isCompleted;

        public override bool CanGetUnflushedBytes => true;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            ReportEnd(inner.FlushAsync(cancellationToken));

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
            ReportEnd(inner.WriteAsync(source, cancellationToken));

        // The platform's writer would send what is left synchronously.
        public override void Complete(Exception? exception = null) => _ = CompleteAsync(exception).AsTask();

        public override async ValueTask CompleteAsync(Exception? exception = null)
        {
            if (Interlocked.Exchange(ref _isCompleted, 1) != 0) return;
            try
            {
                await inner.CompleteAsync(exception).ConfigureAwait(false);
                if (exception is null) await owner._stream.CompleteWritesAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or NotSupportedException or InvalidOperationException)
            {
                // Closed already; or there is no half-close, and the close is the end.
            }

            owner.OnCompleted(exception);
        }

        /// <summary>A stream that has closed is a reader that has completed.</summary>
        private static async ValueTask<FlushResult> ReportEnd(ValueTask<FlushResult> flush)
        {
            try
            {
                return await flush.ConfigureAwait(false);
            }
            catch (IOException)
            {
                return new FlushResult(isCanceled: false, isCompleted: true);
            }
        }
    }
}
