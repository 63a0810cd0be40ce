using Waterspout.Diagnostics;
using Waterspout.Reads;

namespace Waterspout;

// The end of a pending read without a result: its time limits, and its token.
public abstract partial class BaseIOStream
{
    /// <summary>Called by the token of a read, on any thread.</summary>
    void IReadOwner.RequestCancelRead(ReadOperation read, short version, CancellationToken token) =>
        Loop.TryPost((Stream: this, read, version, token), static call =>
        {
            if (call.Stream._reads.IsPending(call.read, call.version))
                call.Stream.AbandonRead(new OperationCanceledException(call.token));
        });

    /// <summary>Starts the time limits of the pending read: its own, or else those of the stream.</summary>
    private void StartClock(TimeSpan? timeout)
    {
        _reads.Clock ??= new ReadClock(Loop, Options.MinimumReadRate, OnReadTimeout);
        _reads.Clock.Start(timeout ?? Options.ReadTimeout, isMeasured: timeout is null);
    }

    private void OnReadTimeout(string limit)
    {
        if (_reads.Pending is null) return;
        Loop.Counters.Timeouts[(int)TimedOperation.Read]++;
        AbandonRead(new TimeoutException($"{limit} No data is lost."));
    }

    /// <summary>Ends the pending read without a result, and without losing a byte.</summary>
    private void AbandonRead(Exception error)
    {
        Wake(_reads.Abandon(error));
        AfterUserCode();
    }
}
