using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;

namespace Waterspout.Wrapping;

/// <summary>A reader and a writer of System.IO.Pipelines, under a stream of ours.</summary>
internal sealed class WrappedPipe(IDuplexPipe pipe, bool leaveOpen) : IWrapped
{
    private readonly Stream _input = pipe.Input.AsStream(leaveOpen: true);
    private readonly PipeWriter _output = pipe.Output;

    public string Name => pipe.GetType().Name;

    public bool CanRead => true;

    public bool CanEndWrites => !leaveOpen;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> space)
    {
        try
        {
            return await _input.ReadAsync(space).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not (InvalidOperationException or OperationCanceledException))
        {
            // The other side has completed the pipe with its own error: for this side the connection is lost.
            throw new StreamClosedException(CloseReason.Reset, error);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data)
    {
        FlushResult result = await _output.WriteAsync(data).ConfigureAwait(false);
        // A pipe accepts data without a reader, and drops it.
        if (result.IsCompleted)
            throw new IOException("The reader of the pipe has completed.", new SocketException((int)SocketError.Shutdown));
        if (result.IsCanceled) throw new IOException("The write to the pipe was cancelled.");
    }

    public Task EndWritesAsync() => CompleteWritesAsync(null);

    public void CancelRead() => pipe.Input.CancelPendingRead();

    public void CancelWrite() => _output.CancelPendingFlush();

    public void Close()
    {
    }

    // Not earlier: completing a reader releases the memory that a read may still be filling.
    public void ReleaseReads(Exception? error)
    {
        if (!leaveOpen) CompleteReadsAsync(error).IgnoreFailure();
    }

    public void ReleaseWrites(Exception? error)
    {
        if (!leaveOpen) CompleteWritesAsync(error).IgnoreFailure();
    }

    private async Task CompleteReadsAsync(Exception? error) => await pipe.Input.CompleteAsync(error).ConfigureAwait(false);

    private async Task CompleteWritesAsync(Exception? error) => await _output.CompleteAsync(error).ConfigureAwait(false);
}
