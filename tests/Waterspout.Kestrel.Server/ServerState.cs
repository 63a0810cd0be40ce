using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests;

/// <summary>Counts what the server has, and has had.</summary>
internal sealed class ServerState : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _open;
    private long _requests;
    private long _begun;
    private long _closed;
    private long _waiting;
    private long _abortedTwice;

    internal ServerState()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name is "kestrel.active_connections" or "http.server.active_requests") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, count, _, _) =>
            Interlocked.Add(ref instrument.Name == "kestrel.active_connections" ? ref _open : ref _requests, count));
        _listener.Start();
    }

    /// <summary>A middleware of connections.</summary>
    internal ConnectionDelegate Watch(ConnectionDelegate next) => async connection =>
    {
        Interlocked.Increment(ref _begun);
        connection.ConnectionClosed.Register(() => Interlocked.Increment(ref _closed));
        await next(connection);
    };

    /// <summary>A handler that returns when its client has left.</summary>
    internal async Task WaitForAbortAsync(HttpContext context)
    {
        int count = 0;
        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        context.RequestAborted.Register(() =>
        {
            if (++count == 2) Interlocked.Increment(ref _abortedTwice);
            aborted.TrySetResult();
        });
        Interlocked.Increment(ref _waiting);
        await context.Response.Body.FlushAsync();
        await aborted.Task;
        Interlocked.Decrement(ref _waiting);
    }

    internal ServerCounts Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return new ServerCounts(
            Interlocked.Read(ref _open),
            Interlocked.Read(ref _requests),
            Interlocked.Read(ref _begun),
            Interlocked.Read(ref _closed),
            Interlocked.Read(ref _waiting),
            Interlocked.Read(ref _abortedTwice),
            Directory.GetFiles("/proc/self/fd").Length,
            GC.GetTotalMemory(forceFullCollection: true),
            Environment.WorkingSet);
    }

    public void Dispose() => _listener.Dispose();
}
