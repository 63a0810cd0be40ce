using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Waterspout.Diagnostics;

namespace Waterspout.Wrapping;

/// <summary>A stream of .NET, under one of ours.</summary>
internal sealed class WrappedStream(Stream stream, bool leaveOpen) : IWrapped
{
    // Disposing a stream ends its calls. One that stays open needs another way.
    private readonly CancellationTokenSource? _closing = leaveOpen ? new CancellationTokenSource() : null;

    public string Name => stream.GetType().Name;

    private CancellationToken Closing => _closing?.Token ?? CancellationToken.None;

    public bool CanRead => stream.CanRead;

    public bool CanEndWrites => stream is NetworkStream or SslStream { IsAuthenticated: true };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> space)
    {
        if (!CanRead) throw new IOException($"This {Name} cannot be read.");
        return await stream.ReadAsync(space, Closing).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data)
    {
        if (!stream.CanWrite) throw new IOException($"This {Name} cannot be written to.");
        await stream.WriteAsync(data, Closing).ConfigureAwait(false);
        // A stream that compresses or buffers would keep the data.
        await stream.FlushAsync(Closing).ConfigureAwait(false);
    }

    public async Task EndWritesAsync()
    {
        if (stream is NetworkStream network) network.Socket.Shutdown(SocketShutdown.Send);
        else await ((SslStream)stream).ShutdownAsync().ConfigureAwait(false);
    }

    public void CancelRead() => _closing?.CancelAsync().IgnoreFailure();

    public void CancelWrite() => CancelRead();

    public void Close()
    {
        if (!leaveOpen) DisposeAsync().IgnoreFailure();
    }

    public void ReleaseReads(Exception? error)
    {
    }

    public void ReleaseWrites(Exception? error)
    {
    }

    // Not Dispose, which may have to write what is left, and would block the loop.
    private async Task DisposeAsync() => await stream.DisposeAsync().ConfigureAwait(false);
}
