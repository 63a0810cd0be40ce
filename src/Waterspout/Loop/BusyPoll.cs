namespace Waterspout.Loop;

/// <summary>Looks for the next event for a short while before the thread is put to sleep.</summary>
/// <remarks>
/// A sleep and a wake-up cost several times the rest of a ping-pong's round trip. Looking costs CPU, so it has to pay:
/// it is done only where something has been sent, to which the peer may answer at once (a stream of lines that outran its
/// sender cost a third more with it), and each time it finds nothing it is left out for twice as many waits as before, so
/// that a loop that is mostly idle soon does none of it.
/// </remarks>
internal sealed class BusyPoll(TimeSpan limit)
{
    private const int LongestPause = 1024;

    private readonly long _limit = Clock.ToStopwatchTicks(limit);
    private bool _isAnswerExpected;
    private int _pause;
    private int _left;

    /// <summary>Something has been sent.</summary>
    internal void ExpectAnswer() => _isAnswerExpected = true;

    /// <summary>The number of events found; zero or less when the loop should wait, or has other work.</summary>
    /// <param name="loop">Looks.</param>
    /// <param name="timeout">The milliseconds until the next timer; -1 when there is none.</param>
    internal int Poll(IOLoop loop, long timeout)
    {
        if (_limit == 0 || !_isAnswerExpected) return 0;
        _isAnswerExpected = false;
        if (_left > 0)
        {
            _left--;
            return 0;
        }

        long end = Clock.Timestamp() + (timeout < 0 ? _limit : Math.Min(_limit, Clock.ToStopwatchTicks(TimeSpan.FromMilliseconds(timeout))));
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
