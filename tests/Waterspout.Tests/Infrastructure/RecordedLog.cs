using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>One line of a log.</summary>
public sealed record LogLine(LogLevel Level, string Message, Exception? Error)
{
    public override string ToString() => $"{Level}: {Message}{(Error is null ? "" : $" [{Error.GetType().Name}: {Error.Message}]")}";
}

/// <summary>Keeps what is logged, and what a test has announced.</summary>
public sealed class RecordedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<LogLine> _lines = new();
    private readonly ConcurrentQueue<string> _expected = new();
    private readonly ConcurrentQueue<string> _allowed = new();

    public IReadOnlyCollection<LogLine> Lines => _lines;

    /// <summary>The test provokes a warning or an error that contains this. If it does not appear, the test fails too.</summary>
    public void Expect(string part) => _expected.Enqueue(part);

    /// <summary>The test may provoke such a line, by chance.</summary>
    public void Allow(string part) => _allowed.Enqueue(part);

    /// <summary>Fails on an unannounced line at Warning or above, and on an announced one that did not appear.</summary>
    /// <remarks>
    /// Lines of finalizers do not count: a test may leave its streams to the loop's end, and if a collection comes before that they are
    /// finalized. Streams dropped too early fail the test by themselves.
    /// </remarks>
    public void Check()
    {
        List<LogLine> loud = [.. _lines.Where(line => line.Level >= LogLevel.Warning)];
        foreach (string part in _expected)
            Assert.True(loud.Exists(line => line.Message.Contains(part)), $"Nothing was logged that contains '{part}'.");
        loud.RemoveAll(line => _expected.Concat(_allowed).Any(line.Message.Contains) || line.Message.Contains("was dropped without being closed"));
        Assert.True(loud.Count == 0, $"Unexpected in the log:\n{string.Join('\n', loud)}");
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(new LogLine(logLevel, formatter(state, exception), exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
