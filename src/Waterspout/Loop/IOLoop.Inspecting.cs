using Waterspout.Diagnostics;

namespace Waterspout;

public sealed partial class IOLoop
{
    // Longer than a turn should ever be, short enough for a page that shows the streams.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What each open stream of the loop is doing at this moment, for finding out why a connection is slow: see
    /// <see cref="StreamInfo.Explanation"/>.
    /// </summary>
    /// <returns>
    /// The streams that are open, connecting or not used yet, and the connections that <see cref="BaseIOStream.AsStream"/> and
    /// <see cref="BaseIOStream.AsDuplexPipe"/> have made of some. Those of Kestrel's transport have loops of their own. Empty once the loop
    /// is disposed.
    /// </returns>
    /// <remarks>
    /// <para>May be called from any thread. On the loop, or if no thread runs it, the list is made at once; otherwise the loop makes it
    /// between two callbacks, and the caller is blocked until then, for at most a second. It costs a few microseconds for each stream, and
    /// nothing while it is not called.</para>
    /// <para>Code on another loop blocks that one meanwhile: it uses <see cref="GetStreamsAsync"/>. Tornado has no such call.</para>
    /// </remarks>
    /// <exception cref="TimeoutException">The loop is busy: the message says with what. That is why all its streams are slow.</exception>
    public IReadOnlyList<StreamInfo> GetStreams()
    {
        if (TryInspectHere() is { } streams) return streams;
        Task<IReadOnlyList<StreamInfo>> inspecting = InspectAsync();
        if (inspecting.Wait(s_patience)) return inspecting.Result;
        throw new TimeoutException($"The loop '{Name}' has not answered within a second: it runs {CallbackName.Of(Running)}.");
    }

    /// <summary>The same without blocking the caller, who may be on another loop.</summary>
    /// <param name="cancellationToken">Ends the wait for a loop that is busy.</param>
    /// <returns>See <see cref="GetStreams"/>.</returns>
    /// <remarks>Completion: when the loop has made the list, between two of its callbacks. May be called from any thread.</remarks>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<IReadOnlyList<StreamInfo>> GetStreamsAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<IReadOnlyList<StreamInfo>>(cancellationToken);
        return TryInspectHere() is { } streams ? Task.FromResult(streams) : InspectAsync().WaitAsync(cancellationToken);
    }

    /// <summary>The streams, if this is the loop's thread, or if there is none. Null if another thread runs the loop.</summary>
    private IReadOnlyList<StreamInfo>? TryInspectHere()
    {
        if (IsCurrent) return Inspect();
        if (!_running.TryEnter()) return null;
        try
        {
            return Inspect();
        }
        finally
        {
            _running.Exit();
        }
    }

    private Task<IReadOnlyList<StreamInfo>> InspectAsync()
    {
        TaskCompletionSource<IReadOnlyList<StreamInfo>> inspected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // Also runs when the loop is disposed before: then there are no streams.
        if (!TryPost((Loop: this, inspected), static call => call.inspected.SetResult(call.Loop.Inspect()))) inspected.SetResult([]);
        return inspected.Task;
    }

    private List<StreamInfo> Inspect() =>
    [
        .. _registrations.Handlers.Concat(_unregistered.All).OfType<IInspectable>().Select(static stream => stream.Inspect()).OfType<StreamInfo>(),
    ];
}
