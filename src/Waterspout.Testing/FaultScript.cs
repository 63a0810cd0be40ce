namespace Waterspout.Testing;

/// <summary>The faults to inject into the receives, or the sends, of a <see cref="FaultyIOStream"/>.</summary>
/// <remarks>
/// Several faults may be set at the same time. Not thread-safe: use it on the stream's loop, or before the stream is used.
/// </remarks>
public sealed class FaultScript
{
    private readonly SortedDictionary<int, Exception> _failures = [];
    private int _blocked;
    private long _cutAt = long.MaxValue;

    internal FaultScript()
    {
    }

    /// <summary>The number of calls so far, including those that failed.</summary>
    public int Calls { get; private set; }

    /// <summary>The number of bytes transferred so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>The most bytes that a call may transfer; null, the default, for no limit.</summary>
    public int? BytesPerCall
    {
        get;
        set
        {
            if (value is { } limit) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
            field = value;
        }
    }

    /// <summary>
    /// Makes the next <paramref name="times"/> calls report that they would block. Each is followed by an event if the socket is ready.
    /// </summary>
    public void Block(int times)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(times);
        _blocked = times;
    }

    /// <summary>Makes a call fail.</summary>
    /// <param name="call">The number of the call, counted from 1 since the stream was created: see <see cref="Calls"/>.</param>
    /// <param name="error">The exception it throws; a real socket throws a <see cref="System.Net.Sockets.SocketException"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">That call has already been made.</exception>
    public void FailAt(int call, Exception error)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(call, Calls);
        ArgumentNullException.ThrowIfNull(error);
        _failures[call] = error;
    }

    /// <summary>Cuts the stream off, in this direction, once <paramref name="bytes"/> bytes in all have been transferred.</summary>
    /// <param name="bytes">
    /// Counted since the stream was created: see <see cref="Bytes"/>. If that many have already been transferred, it is cut at once.
    /// </param>
    /// <remarks>The stream is notified by an event. It notices the cut if it waits for one, or at its next call.</remarks>
    public void CutAfter(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _cutAt = bytes;
        if (Bytes >= _cutAt) RaiseEvent?.Invoke();
    }

    /// <summary>Makes the stream try again.</summary>
    internal Action? RaiseEvent { get; set; }

    /// <summary>
    /// How many of <paramref name="length"/> bytes a call may transfer: null to report that it would block, 0 if the stream is cut off.
    /// </summary>
    internal int? Admit(int length)
    {
        Calls++;
        if (_failures.Remove(Calls, out Exception? error)) throw error;
        if (_blocked == 0) return (int)Math.Min(Math.Min(length, BytesPerCall ?? int.MaxValue), Math.Max(0, _cutAt - Bytes));
        _blocked--;
        return null;
    }

    internal void Report(int bytes)
    {
        Bytes += bytes;
        if (Bytes >= _cutAt) RaiseEvent?.Invoke();
    }
}
