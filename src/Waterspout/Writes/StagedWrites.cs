using System.Buffers;

namespace Waterspout.Writes;

/// <summary>Copies of what threads other than the loop's have written, until the loop takes them.</summary>
/// <remarks>
/// A write that crosses to the loop by itself costs microseconds and a task. So small ones are gathered here, and the first of each batch
/// notifies the loop, which takes all of it before it does anything else with the stream's writes. What is written behind a call that
/// crosses has to cross too, so that the order stays that of the calls.
/// </remarks>
internal sealed class StagedWrites
{
    private const int SmallestArray = 4 * 1024;

    private readonly Lock _guard = new();
    private byte[]? _data; // rented while there is something in it
    private volatile int _length;
    private volatile int _crossing;

    /// <summary>The outcome of <see cref="TryAdd"/>.</summary>
    internal enum Outcome
    {
        /// <summary>The write has to cross to the loop by itself.</summary>
        Refused,

        /// <summary>It is the first of a batch: the loop has to be notified.</summary>
        Begun,

        /// <summary>It joins a batch that has been posted to the loop.</summary>
        Joined,
    }

    /// <summary>Something is written that the loop has not got.</summary>
    internal bool IsBusy => _length > 0 || _crossing > 0;

    /// <summary>Adds a copy of the data, if there is room, and no call before it is still crossing.</summary>
    internal Outcome TryAdd(ReadOnlySpan<byte> data, long room)
    {
        lock (_guard)
        {
            if (_crossing > 0 || _length + data.Length > room) return Outcome.Refused;
            if (data.IsEmpty) return Outcome.Joined; // there is nothing to take
            bool isFirst = _data is null;
            Reserve(_length + data.Length);
            data.CopyTo(_data.AsSpan(_length));
            _length += data.Length;
            return isFirst ? Outcome.Begun : Outcome.Joined;
        }
    }

    /// <summary>A call that writes, or ends writing, crosses to the loop.</summary>
    internal void BeginCrossing()
    {
        lock (_guard) _crossing++;
    }

    /// <summary>It has arrived there.</summary>
    internal void EndCrossing()
    {
        lock (_guard) _crossing--;
    }

    /// <summary>Takes everything, on the loop. Null if there is nothing. The caller returns the array to the shared pool.</summary>
    internal byte[]? Take(out int length)
    {
        length = 0;
        if (_length == 0) return null;
        lock (_guard)
        {
            byte[]? data = _data;
            length = _length;
            _data = null;
            _length = 0;
            return data;
        }
    }

    private void Reserve(int length)
    {
        if (_data is not null && _data.Length >= length) return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(SmallestArray, 2 * length));
        _data.AsSpan(0, _length).CopyTo(larger);
        if (_data is not null) ArrayPool<byte>.Shared.Return(_data);
        _data = larger;
    }
}
