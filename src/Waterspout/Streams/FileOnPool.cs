using System.Buffers;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>The reads and writes of a descriptor that is always ready (a regular file, /dev/null), on the thread pool.</summary>
/// <remarks>
/// <para>Theory of operation. No poller can say when a call on a file would wait for a disk or for a network, so the loop makes none. At
/// most one read and one write are under way. The hook that begins one returns null, as if the descriptor would block; the stream is
/// notified when the call has ended, and the next call of the hook has its result.</para>
/// <para>Reads and writes are those of the file's own position, which other processes share: a shell, or the next command of a list, goes
/// on where this one has stopped.</para>
/// <para>The descriptor is closed when the last call on it has ended: its number must not belong to another file before.</para>
/// </remarks>
/// <param name="fd">The descriptor.</param>
/// <param name="notify">Notifies the stream, from any thread.</param>
internal sealed class FileOnPool(Descriptor fd, Action<IOEvents> notify)
{
    // As much as a receive. Larger calls save nothing that can be measured beside the change of threads.
    private const int MostAtOnce = 64 * 1024;

    private readonly Lock _writing = new();
    private volatile Call _read;
    private volatile Call _write;
    private byte[] _readData = [];
    private int _readStart;
    private PosixResult _readResult;
    private byte[] _writeData = [];
    private int _writeLength;
    private PosixResult _writeResult;
    private int _users = 1; // the stream, and each call under way
    private Action? _close;

    /// <summary>Where a call is. The thread that ends it sets the result first.</summary>
    private enum Call
    {
        None,
        UnderWay,
        Ended,
    }

    /// <summary>Takes what has been read, or begins to read.</summary>
    /// <returns>Null while a read is under way.</returns>
    internal PosixResult? Read(Span<byte> target)
    {
        if (_read == Call.None)
        {
            _readData = ArrayPool<byte>.Shared.Rent(Math.Min(target.Length, MostAtOnce));
            _read = Call.UnderWay;
            Begin(static file => file.RunRead());
        }

        return _read == Call.Ended ? TakeRead(target) : null;
    }

    /// <summary>Takes the result of a write, or begins one.</summary>
    /// <param name="data">While a write is under way and at its end: what that one has begun with.</param>
    /// <param name="isLast">The stream closes: writes on this thread, since there is no later call that could take the result.</param>
    /// <returns>Null while a write is under way.</returns>
    internal PosixResult? Write(ReadOnlySpan<byte> data, bool isLast)
    {
        if (isLast && _write != Call.Ended) return WriteNow(data);
        if (_write == Call.None)
        {
            _writeLength = Math.Min(data.Length, MostAtOnce);
            _writeData = ArrayPool<byte>.Shared.Rent(_writeLength);
            data[.._writeLength].CopyTo(_writeData);
            _write = Call.UnderWay;
            Begin(static file => file.RunWrite());
        }

        return _write == Call.Ended ? TakeWritten() : null;
    }

    /// <summary>Closes the descriptor, as soon as no call uses it.</summary>
    internal void Close(Action close)
    {
        _close = close;
        Release();
    }

    private void Begin(Action<FileOnPool> run)
    {
        Interlocked.Increment(ref _users);
        ThreadPool.UnsafeQueueUserWorkItem(static work => work.run(work.File), (File: this, run), preferLocal: false);
    }

    private void RunRead()
    {
        _readResult = FileDescriptors.Read(fd, _readData.AsSpan(0, Math.Min(_readData.Length, MostAtOnce)));
        _readStart = 0;
        _read = Call.Ended;
        notify(IOEvents.Read);
        Release();
    }

    private PosixResult TakeRead(Span<byte> target)
    {
        if (!_readResult.IsSuccess) return _readResult; // and so it stays: the stream closes
        int count = Math.Min(target.Length, _readResult.Value - _readStart);
        _readData.AsSpan(_readStart, count).CopyTo(target);
        _readStart += count;
        if (_readStart < _readResult.Value) return PosixResult.From(count);
        ArrayPool<byte>.Shared.Return(_readData);
        _readData = [];
        _read = Call.None;
        return PosixResult.From(count);
    }

    private void RunWrite()
    {
        TryRunWrite();
        notify(IOEvents.Write);
        Release();
    }

    // Whichever thread comes first: the pool may be busy when the stream closes.
    private void TryRunWrite()
    {
        lock (_writing)
        {
            if (_write != Call.UnderWay) return;
            _writeResult = FileDescriptors.Write(fd, _writeData.AsSpan(0, _writeLength));
            ArrayPool<byte>.Shared.Return(_writeData);
            _writeData = [];
            _write = Call.Ended;
        }
    }

    private PosixResult WriteNow(ReadOnlySpan<byte> data)
    {
        TryRunWrite();
        return _write == Call.Ended ? TakeWritten() : FileDescriptors.Write(fd, data);
    }

    private PosixResult TakeWritten()
    {
        _write = Call.None;
        return _writeResult;
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0) _close!();
    }
}
