using Waterspout.Reads;

namespace Waterspout;

/// <summary>Received data that threads other than the loop's may read.</summary>
/// <remarks>
/// <para>A call that crosses to the loop and back costs ten microseconds, a read from the buffer a twentieth of one. So when a read for
/// another thread has ended and more data is buffered, the loop lends the buffer: until it is taken back, reads that it satisfies are made
/// on the thread that calls.</para>
/// <para>Only the loop lends and takes back. It takes back whenever it uses the buffer itself (<see cref="ReadHalf.Buffer"/>), and so
/// waits for a read that is being made. A read that needs more than is buffered leaves everything as it was, and crosses.</para>
/// </remarks>
internal sealed class BufferLoan
{
    private readonly Lock _guard = new();
    private volatile bool _isLent;
    private bool _isReading; // a read is being made

    /// <summary>The buffer may be read. True on the loop until it is taken back; elsewhere it may end at any time.</summary>
    internal bool IsLent => _isLent;

    internal void Begin()
    {
        lock (_guard) _isLent = true;
    }

    internal void End()
    {
        lock (_guard) _isLent = false;
    }

    /// <summary>How much is left. A reader that takes the last of it sees what the loop has written before this call.</summary>
    internal int LengthOf(ReadBuffer buffer)
    {
        lock (_guard) return buffer.Length;
    }

    /// <summary>Makes a read, on a thread other than the loop's, if the lent data satisfies it.</summary>
    /// <param name="buffer">The buffer that may be lent.</param>
    /// <param name="read">Belongs to this call, whatever it returns.</param>
    /// <param name="result">The outcome.</param>
    /// <param name="isEmpty">The read has taken all that there was.</param>
    internal bool TryRead<T>(ReadBuffer buffer, ReadOperation<T> read, out ValueTask<T> result, out bool isEmpty)
    {
        result = default;
        isEmpty = false;
        lock (_guard)
        {
            // A parser that reads from its stream has broken its contract. Its read crosses, and gets what follows.
            if (!_isLent || _isReading || !IsSatisfied(buffer, read, out Exception? error)) return Refuse(buffer, read);
            if (error is not null) read.Fail(error);
            isEmpty = buffer.Length == 0;
        }

        result = read.TakeResult();
        return true;
    }

    /// <inheritdoc cref="TryRead{T}"/>
    internal bool TryTake<TRead, T>(ReadBuffer buffer, TRead read, out ValueTask<T> result, out bool isEmpty)
        where TRead : IBufferedRead<T>, allows ref struct
    {
        result = default;
        isEmpty = false;
        lock (_guard)
        {
            if (!_isLent || _isReading) return false;
            int length = read.Find(buffer.Data);
            if (length < 0) return false;
            result = Take<TRead, T>(buffer, read, length);
            isEmpty = buffer.Length == 0;
            return true;
        }
    }

    private ValueTask<T> Take<TRead, T>(ReadBuffer buffer, TRead read, int length)
        where TRead : IBufferedRead<T>, allows ref struct
    {
        _isReading = true;
        try
        {
            return new ValueTask<T>(read.Take(buffer.Data[..length]));
        }
        catch (Exception error)
        {
            return ValueTask.FromException<T>(error);
        }
        finally
        {
            _isReading = false;
            buffer.Consume(length);
        }
    }

    private bool IsSatisfied<T>(ReadBuffer buffer, ReadOperation<T> read, out Exception? error)
    {
        error = null;
        _isReading = true;
        try
        {
            return read.TryFinish(buffer) == ReadProgress.Finished;
        }
        catch (Exception thrown)
        {
            // The user's parser or memory failed. Only this read is affected.
            error = thrown;
            return true;
        }
        finally
        {
            _isReading = false;
        }
    }

    private static bool Refuse<T>(ReadBuffer buffer, ReadOperation<T> read)
    {
        read.Unread(buffer);
        read.Recycle();
        return false;
    }
}
