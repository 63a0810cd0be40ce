namespace Waterspout.Testing;

/// <summary>What is to go wrong with the receives, or with the sends, of a <see cref="FaultyIOStream"/>.</summary>
/// <remarks>Several faults may be set at a time. Not to be used from several threads at once.</remarks>
public sealed class FaultScript
{
    private readonly SortedDictionary<int, Exception> _failures = [];
    private int _blocked;
    private long _cutAt = long.MaxValue;

    internal FaultScript()
    {
    }

    /// <summary>The calls that were made so far, those that went wrong included.</summary>
    public int Calls { get; private set; }

    /// <summary>The bytes that went through so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>The most bytes that a call may move; without limit of its own when null, which is the default.</summary>
    public int? BytesPerCall
    {
        get;
        set
        {
            if (value is { } limit) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
            field = value;
        }
    }

    /// <summary>Makes the next <paramref name="times"/> calls say that they would block. Each is followed by an event, as a poller would send it.</summary>
    public void Block(int times)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(times);
        _blocked = times;
    }

    /// <summary>Makes a call fail.</summary>
    /// <param name="call">Which one, counted from 1 since the stream was made: see <see cref="Calls"/>.</param>
    /// <param name="error">What it throws; a <see cref="System.Net.Sockets.SocketException"/> is what a real socket throws.</param>
    /// <exception cref="ArgumentOutOfRangeException">That call has been made already.</exception>
    public void FailAt(int call, Exception error)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(call, Calls);
        ArgumentNullException.ThrowIfNull(error);
        _failures[call] = error;
    }

    /// <summary>Cuts the stream off, in this direction, once <paramref name="bytes"/> bytes in all have gone through.</summary>
    /// <param name="bytes">Counted since the stream was made: see <see cref="Bytes"/>. If so many have gone through already, it is cut at once.</param>
    /// <remarks>The stream is told by an event. It notices where it is waiting for one, or makes the next call.</remarks>
    public void CutAfter(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _cutAt = bytes;
        if (Bytes >= _cutAt) RaiseEvent?.Invoke();
    }

    /// <summary>Tells the stream to try again.</summary>
    internal Action? RaiseEvent { get; set; }

    /// <summary>How many of so many bytes a call may move: null where it has to say that it would block, 0 where it is cut off.</summary>
    internal int? Admit(int length)
    {
        Calls++;
        if (_failures.Remove(Calls, out Exception? error)) throw error;
        if (_blocked > 0)
        {
            _blocked--;
            RaiseEvent?.Invoke();
            return null;
        }

        return (int)Math.Min(Math.Min(length, BytesPerCall ?? int.MaxValue), Math.Max(0, _cutAt - Bytes));
    }

    internal void Report(int bytes, bool hasFallenShort)
    {
        Bytes += bytes;
        if (hasFallenShort || Bytes >= _cutAt) RaiseEvent?.Invoke();
    }
}
