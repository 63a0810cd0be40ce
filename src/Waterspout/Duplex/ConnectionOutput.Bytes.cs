using System.IO.Pipelines;

namespace Waterspout.Duplex;

// Writes of the caller's memory, for the connection as a stream. They are completed under the lock, so a close on another thread is safe.
internal sealed partial class ConnectionOutput
{
    /// <summary>Writes; waits while too much is unsent or, if <paramref name="sendsAll"/>, until nothing is.</summary>
    internal ValueTask WriteBytesAsync(ReadOnlySpan<byte> data, bool sendsAll, CancellationToken cancellationToken)
    {
        if (Flush(data, sendsAll, isBlocking: false, cancellationToken, out FlushResult result)) return WaitAsync(_waiter!.Task);
        return result.IsCompleted ? ValueTask.FromException(_connection.WriteError()) : default;
    }

    /// <summary>The same, and blocks the thread.</summary>
    internal void WriteBytes(ReadOnlySpan<byte> data, bool sendsAll, int timeout)
    {
        if (Flush(data, sendsAll, isBlocking: true, default, out FlushResult result)) result = _waiter!.Block(timeout);
        if (result.IsCompleted) throw _connection.WriteError();
    }

    private async ValueTask WaitAsync(ValueTask<FlushResult> flush)
    {
        if ((await flush.ConfigureAwait(false)).IsCompleted) throw _connection.WriteError();
    }
}
