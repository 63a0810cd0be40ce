using Waterspout.Diagnostics;
using Waterspout.Loop;

namespace Waterspout;

// Nothing that a handler does may delay the stop beyond its limit: a handler may never end, may block its loop, or may wait for the stop
// itself. So everything is started without waiting, and only the outcome is awaited, timed by the clock and not by a loop.
public partial class TcpServer
{
    // Time for handlers to end after their streams are closed: that takes a turn, or several if they clean up.
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(500);

    // Between two looks at the connections whose handlers have ended. Short beside a drain, and long beside what a look costs.
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _stopping = new();
    private Task _listenersStopped = Task.CompletedTask;
    private TaskCompletionSource? _emptied;
    private volatile bool _isStopped;
    private volatile bool _isCut;

    /// <summary>Cancelled when the server begins to stop. Callbacks registered with it run on the thread pool.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>
    /// Stops accepting, notifies the handlers and lets them end, then closes the remaining connections. May be called from any thread.
    /// </summary>
    /// <param name="drain">
    /// How long the handlers may take, including those of connections that have been accepted but not handed over yet. Zero closes
    /// everything at once; <see cref="Timeout.InfiniteTimeSpan"/>, or more than 24 days, means no limit.
    /// </param>
    /// <param name="cancellationToken">
    /// Cancelling ends the drain: remaining connections are closed as if the time were up. The stop is not undone.
    /// </param>
    /// <returns>
    /// A task that completes when every connection is closed and every handler has ended, but at the latest half a second after the drain.
    /// Handlers that still run then, although their streams are closed, are logged as a warning.
    /// </returns>
    /// <remarks>
    /// <para>A connection whose handler has ended is closed as soon as the peer's system has acknowledged everything, EOF included, and the
    /// peer has sent nothing for 50 ms: one that stays connected and is idle does not hold the stop.</para>
    /// <para>May be called again: with a shorter drain it ends sooner.</para>
    /// <para>A handler may stop its own server. If it awaits the stop, the stop waits for the handler in turn, so it lasts for the whole
    /// drain and then closes the handler's own stream. To end sooner, and to answer before, do not await it.</para>
    /// <para>Difference from Tornado: its servers only stop accepting.</para>
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The drain is negative. Nothing has been stopped.</exception>
    public Task StopAsync(TimeSpan drain, CancellationToken cancellationToken = default)
    {
        TimeLimit.CheckNotNegative(drain, nameof(drain));
        return StopCoreAsync(drain, cancellationToken);
    }

    /// <summary>Stops at once, without a drain: see <see cref="StopAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private async Task StopCoreAsync(TimeSpan drain, CancellationToken cancellationToken)
    {
        TimeProvider time = _loops[0].Options.TimeProvider;
        Task ended = WhenEndedAsync(StopListening());
        NotifyHandlers();
        // Until then every 50 ms: no event reports an acknowledgement.
        await using ITimer looks = time.CreateTimer(static server => ((TcpServer)server!).EndAcknowledged(), this, s_look, s_look);
        if (await TimeLimit.EndsWithinAsync(ended, drain, time, cancellationToken).ConfigureAwait(false)) return;
        CloseAll();
        if (await TimeLimit.EndsWithinAsync(ended, s_grace, time, CancellationToken.None).ConfigureAwait(false)) return;
        Log.HandlersLeft(_logger, ConnectionCount);
    }

    private Task StopListening()
    {
        lock (_listeners)
        {
            _isStopped = true;
            if (_listeners.Count == 0) return _listenersStopped;
            Task stopped = Task.WhenAll(_listeners.Select(listener => listener.StopAsync()));
            _listeners.Clear();
            return _listenersStopped = stopped;
        }
    }

    // On the pool, so that no user callback delays the stop or runs inside it.
    private void NotifyHandlers() => _stopping.CancelAsync().ContinueWith(
        static (task, server) => ((TcpServer)server!).OnStoppingFailed(task.Exception!.InnerException!),
        this,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted,
        TaskScheduler.Default);

    private void OnStoppingFailed(Exception error)
    {
        Log.StoppingFailed(_logger, error);
        _loops[0].ReportUnhandled(error);
    }

    /// <summary>Completes when every connection has ended. Nothing is accepted after the listeners have stopped.</summary>
    private async Task WhenEndedAsync(Task listenersStopped)
    {
        await listenersStopped.ConfigureAwait(false);
        Task emptied;
        lock (_connections)
        {
            if (_connections.Count == 0) return;
            // A stop awaited on another thread must not resume on a loop.
            emptied = (_emptied ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await emptied.ConfigureAwait(false);
    }

    private void CloseAll()
    {
        _isCut = true;
        foreach (Connection connection in CurrentConnections()) Close(connection);
    }

    /// <summary>Closes what only waits for a peer that has everything.</summary>
    private void EndAcknowledged()
    {
        foreach (Connection connection in CurrentConnections())
            if (connection.Holder is { } stream) stream.Loop.TryPost(stream, static stream => stream.CloseIfAcknowledged());
    }

    private List<Connection> CurrentConnections()
    {
        lock (_connections) return [.. _connections];
    }
}
