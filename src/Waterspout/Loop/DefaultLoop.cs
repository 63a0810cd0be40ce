namespace Waterspout.Loop;

/// <summary>A loop that is created and started at its first use, and can be configured before that.</summary>
internal sealed class DefaultLoop
{
    private readonly Lock _lock = new();
    private IOLoopOptions _options = new() { Name = "Waterspout default loop" };
    private volatile IOLoop? _loop;

    internal IOLoop Loop => _loop ?? Make();

    /// <exception cref="InvalidOperationException">The loop has been used.</exception>
    internal void Configure(IOLoopOptions options)
    {
        lock (_lock)
        {
            if (_loop is not null)
            {
                throw new InvalidOperationException($"{nameof(IOLoop)}.{nameof(IOLoop.Default)} has been used: "
                    + "configure it before the first stream, server or call that needs it.");
            }
            _options = options with { };
        }
    }

    private IOLoop Make()
    {
        lock (_lock) return _loop ??= IOLoop.StartOnThread(_options);
    }
}
