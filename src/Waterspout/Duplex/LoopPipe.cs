using System.IO.Pipelines;

namespace Waterspout.Duplex;

/// <summary>
/// A stream that keeps its loop, as pipes: the platform's reader, over its <see cref="Stream"/>, and a writer that writes to the stream.
/// </summary>
internal sealed class LoopPipe : IDuplexPipe
{
    private readonly BaseIOStream _stream;
    private int _completions;

    internal LoopPipe(BaseIOStream stream)
    {
        _stream = stream;
        // Zero-byte reads first, so that an idle connection holds no buffer.
        Input = new Reader(this, PipeReader.Create(new LoopStream(stream), new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true)));
        Output = new LoopPipeWriter(stream, OnCompleted);
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
}
