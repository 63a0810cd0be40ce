using Waterspout.Diagnostics;

namespace Waterspout.Duplex;

/// <summary>
/// A stream that keeps its loop (TLS, memory, a class of the user's), as a <see cref="Stream"/>: each call is one of its own reads or
/// writes.
/// </summary>
internal sealed class LoopStream(BaseIOStream stream) : AdapterStream
{
    protected override bool WouldDeadlock => stream.Loop.IsCurrent;

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        buffer.IsEmpty ? WaitForDataAsync(cancellationToken) : stream.ReadOrEofAsync(buffer, cancellationToken);

    protected override int ReadNow(Memory<byte> buffer, int timeout)
    {
        using CancellationTokenSource limit = new();
        Task<int> read = ReadCoreAsync(buffer, limit.Token).AsTask();
        try
        {
            if (Task.WaitAny([read], timeout) < 0) limit.Cancel();
            return read.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw TimedOut(timeout);
        }
    }

    protected override ValueTask WriteCoreAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (data.IsEmpty) return default;
        // The token ends the wait only: cancelling a write of the stream would close it. The memory is the caller's again then, so it is copied.
        return cancellationToken.CanBeCanceled
            ? Wait(stream.WriteAsync(data.Span, CancellationToken.None), cancellationToken)
            : stream.WriteAsync(data, CancellationToken.None);
    }

    protected override void WriteNow(ReadOnlySpan<byte> data, int timeout)
    {
        if (!data.IsEmpty) Block(stream.WriteAsync(data, CancellationToken.None), timeout);
    }

    protected override Task FlushCoreAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken).AsTask();

    protected override void FlushNow(int timeout) => Block(stream.FlushAsync(), timeout);

    protected override async Task CloseAsync()
    {
        try
        {
            ValueTask flushed = stream.FlushAsync();
            // The rest of the close needs the peer, and is limited by itself.
            ValueTask closed = stream.CloseAsync();
            await flushed.ConfigureAwait(false);
            if (closed.IsCompleted) await closed.ConfigureAwait(false);
            else _ = closed.AsTask();
        }
        catch (IOException)
        {
            // It has closed already, and its reason says why.
        }
    }

    // Not a read of zero bytes: that may complete because a receive is worth a try.
    private async ValueTask<int> WaitForDataAsync(CancellationToken cancellationToken)
    {
        try
        {
            await stream.PeekAsync(1, cancellationToken).ConfigureAwait(false);
        }
        catch (StreamClosedException end) when (end.Reason == CloseReason.EndOfStream)
        {
            // Zero, as for any read at the end.
        }

        return 0;
    }

    private static ValueTask Wait(ValueTask write, CancellationToken cancellationToken)
    {
        if (write.IsCompleted) return write;
        Task task = write.AsTask();
        task.IgnoreFailure();
        return new ValueTask(task.WaitAsync(cancellationToken));
    }

    // The loop completes the task on its own thread, so this works even if the thread pool has no thread left.
    private static void Block(ValueTask operation, int timeout)
    {
        Task task = operation.AsTask();
        if (Task.WaitAny([task], timeout) < 0)
        {
            task.IgnoreFailure();
            throw TimedOut(timeout);
        }

        task.GetAwaiter().GetResult();
    }

    private static IOException TimedOut(int timeout) =>
        new($"The operation did not complete within {timeout} ms.", new TimeoutException());
}
