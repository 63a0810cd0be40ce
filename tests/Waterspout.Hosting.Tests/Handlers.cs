namespace Waterspout.Hosting.Tests;

/// <summary>Sends every line back, and says goodbye when the host stops.</summary>
internal sealed class EchoHandler : IStreamHandler
{
    public async Task HandleAsync(IOStream stream, CancellationToken stopping)
    {
        try
        {
            while (await stream.ReadLineAsync(maxBytes: 1024, cancellationToken: stopping) is { } line) await stream.WriteLineAsync(line, cancellationToken: CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            await stream.WriteLineAsync("goodbye", cancellationToken: CancellationToken.None);
        }
    }
}

/// <summary>Ignores the stop of the host.</summary>
internal sealed class StubbornHandler : IStreamHandler
{
    public async Task HandleAsync(IOStream stream, CancellationToken stopping)
    {
        await stream.WriteLineAsync("hello", cancellationToken: CancellationToken.None);
        await stream.ReadUntilCloseAsync(CancellationToken.None);
    }
}

internal sealed class FailingHandler : IStreamHandler
{
    public Task HandleAsync(IOStream stream, CancellationToken stopping) => throw new InvalidOperationException("It fails on purpose.");
}

/// <summary>A service that exists once for each connection.</summary>
internal sealed class Session(SessionLog log) : IAsyncDisposable
{
    internal int Number { get; } = log.Begin();

    public ValueTask DisposeAsync()
    {
        log.End(Number, IOLoop.Current);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Which sessions have begun, and where each has ended.</summary>
internal sealed class SessionLog
{
    private readonly TaskCompletionSource<(int Number, IOLoop Loop)> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    internal Task<(int Number, IOLoop Loop)> FirstEnd => _ended.Task;

    internal int Begin() => Interlocked.Increment(ref _count);

    internal void End(int number, IOLoop loop) => _ended.TrySetResult((number, loop));
}

internal sealed class SessionHandler(Session session) : IStreamHandler
{
    public async Task HandleAsync(IOStream stream, CancellationToken stopping)
    {
        await stream.WriteLineAsync($"{session.Number}", cancellationToken: CancellationToken.None);
        await stream.ReadUntilCloseAsync(stopping);
    }
}
