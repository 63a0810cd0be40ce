namespace Waterspout.Loop;

/// <summary>Polls for the next event for a short while before the thread sleeps.</summary>
/// <remarks>
/// A sleep and a wake-up cost several times the rest of a ping-pong's round trip. Polling costs CPU, so it has to pay. It is done only
/// after something has been sent, to which the peer may answer at once (a stream of lines that outran its sender cost a third more with
/// it). Each time it finds nothing it is skipped for twice as many waits as before, so that a mostly idle loop soon stops polling.
/// </remarks>
internal sealed class BusyPoll(TimeSpan limit)
{
    private const int LongestPause = 1024;

    private readonly long _limit = Clock.ToStopwatchTicks(limit);
    private bool _isAnswerExpected;
    private int _pause;
    private int _left;

    /// <summary>Called when something has been sent.</summary>
    internal void ExpectAnswer() => _isAnswerExpected = true;

    /// <summary>The number of events found; zero or less if the loop should wait, or has other work.</summary>
    /// <param name="loop">The loop to poll.</param>
    /// <param name="timeout">The milliseconds until the next timer; -1 if there is none.</param>
    internal int Poll(IOLoop loop, long timeout)
    {
        if (_limit == 0 || !_isAnswerExpected) return 0;
        _isAnswerExpected = false;
        if (_left > 0)
        {
            _left--;
            return 0;
        }

        long limit = timeout < 0 ? _limit : Math.Min(_limit, Clock.ToStopwatchTicks(TimeSpan.FromMilliseconds(timeout)));
        long end = Clock.Timestamp() + limit;
        do
        {
            int events = loop.PollOnce();
            if (events != 0)
            {
                _pause = 0;
                return events;
            }

            Thread.Yield();
        }
        while (Clock.Timestamp() < end);

        _pause = Math.Clamp(_pause * 2, 1, LongestPause);
        _left = _pause;
        return 0;
    }
}
