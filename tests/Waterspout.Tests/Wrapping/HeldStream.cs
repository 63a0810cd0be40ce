namespace Waterspout.Tests.Wrapping;

/// <summary>A stream each of whose reads and writes ends when the test says so, whatever else happens to it.</summary>
internal sealed class HeldStream : Tls.DelegatingStream
{
    private readonly bool _canWrite;

    internal HeldStream(bool canWrite = true)
        : base(Null) => _canWrite = canWrite;

    public override bool CanWrite => _canWrite;

    internal Memory<byte> ReadSpace { get; private set; }

    internal byte[] Written { get; private set; } = [];

    internal TaskCompletionSource<int> ReadEnd { get; private set; } = new();

    internal TaskCompletionSource WriteEnd { get; } = new();

    internal Task LastRead { get; private set; } = Task.CompletedTask;

    internal Task LastWrite { get; private set; } = Task.CompletedTask;

    internal TaskCompletionSource Disposed { get; } = new();

    /// <summary>Ends the read under way; the next one is held again.</summary>
    internal void EndRead(ReadOnlySpan<byte> data)
    {
        data.CopyTo(ReadSpace.Span);
        TaskCompletionSource<int> read = ReadEnd;
        ReadEnd = new TaskCompletionSource<int>();
        read.SetResult(data.Length);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadSpace = buffer;
        Task<int> read = ReadEnd.Task.WaitAsync(cancellationToken);
        LastRead = read;
        return new ValueTask<int>(read);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Written = buffer.ToArray();
        LastWrite = WriteEnd.Task.WaitAsync(cancellationToken);
        return new ValueTask(LastWrite);
    }

    protected override void Dispose(bool disposing)
    {
        Disposed.TrySetResult();
        base.Dispose(disposing);
    }
}
