using System.Net.Sockets;

namespace Waterspout.Testing;

/// <summary>
/// One direction of a pair in memory: a ring of a fixed size between one writer and one reader, with the errors of a socket.
/// </summary>
/// <remarks>Finalizers close streams on a thread of their own, hence the lock.</remarks>
internal sealed class MemoryChannel(int capacity)
{
    private readonly Lock _lock = new();
    private byte[]? _ring; // from the first write on
    private int _start;
    private int _length;
    private bool _isEnded;
    private bool _isReset;
    private bool _hasNoReader;

    /// <summary>The writer has closed with data unread. The reader fails when it has read what was sent before.</summary>
    internal bool IsReset
    {
        get
        {
            lock (_lock) return _isReset;
        }
    }

    /// <summary>Takes what there is; null when there is nothing yet, 0 at the end.</summary>
    internal int? Read(Span<byte> target, out bool wasFull)
    {
        lock (_lock)
        {
            wasFull = _length == capacity;
            int count = Math.Min(target.Length, _length);
            if (count == 0) return _isReset ? throw new SocketException((int)SocketError.ConnectionReset) : _isEnded ? 0 : null;
            int first = Math.Min(count, capacity - _start);
            _ring.AsSpan(_start, first).CopyTo(target);
            _ring.AsSpan(0, count - first).CopyTo(target[first..]);
            _start = (_start + count) % capacity;
            _length -= count;
            return count;
        }
    }

    /// <summary>Adds what there is room for; null when there is none.</summary>
    internal int? Write(ReadOnlySpan<byte> data, out bool wasEmpty)
    {
        lock (_lock)
        {
            if (_hasNoReader) throw new SocketException((int)SocketError.Shutdown);
            wasEmpty = _length == 0;
            int count = Math.Min(data.Length, capacity - _length);
            if (count == 0) return data.IsEmpty ? 0 : null;
            _ring ??= new byte[capacity];
            int end = (_start + _length) % capacity;
            int first = Math.Min(count, capacity - end);
            data[..first].CopyTo(_ring.AsSpan(end));
            data[first..count].CopyTo(_ring);
            _length += count;
            return count;
        }
    }

    /// <summary>The writer has ended its side.</summary>
    internal void End(bool isReset)
    {
        lock (_lock) (_isEnded, _isReset) = (true, _isReset || isReset);
    }

    /// <summary>The reader has closed. True when it has left something unread.</summary>
    internal bool Abandon()
    {
        lock (_lock)
        {
            _hasNoReader = true;
            _ring = null;
            return _length > 0;
        }
    }
}
