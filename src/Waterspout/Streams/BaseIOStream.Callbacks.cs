using System.Text.RegularExpressions;
using Waterspout.Diagnostics;

namespace Waterspout;

// Tornado's callback forms, over the awaitable ones; streaming reads are in the part on streaming.
//
// Errors of a call are thrown to the caller. State that another thread cannot know is checked on the loop: there a write without room
// closes the stream, since later data would arrive as if nothing were missing; other errors are reported as the loop's unhandled ones.
public abstract partial class BaseIOStream
{
    /// <summary>Writes a copy of the data, and calls back when the system has accepted everything that is buffered.</summary>
    /// <param name="data">May be empty.</param>
    /// <param name="callback">
    /// Runs on the loop, never inside this call. As in Tornado, a newer one replaces an older one that has not run.
    /// </param>
    /// <remarks>
    /// If the stream closes first, the callback does not run: see <see cref="SetCloseCallback"/>. If the callback throws, that is logged
    /// and closes the stream. May be called from any thread. Off the loop's thread a write without room closes the stream with that error,
    /// since the caller has continued; and a write queued before <see cref="CompleteWritesAsync"/> has run, but executed after it, is
    /// reported as the loop's unhandled error.
    /// </remarks>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    /// <exception cref="StreamBufferFullException">
    /// <see cref="IOStreamOptions.MaxWriteBufferSize"/> would be exceeded; nothing of it is sent.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteWritesAsync"/> was already called.</exception>
    public void Write(ReadOnlySpan<byte> data, Action? callback = null)
    {
        if (!Loop.IsCurrent)
        {
            WriteLater(data.ToArray(), callback);
            return;
        }

        if (RefuseWrite(data.Length, default) is { } refusal) throw refusal;
        _writes.Append(data);
        if (callback is not null) _writes.SetCallback(callback);
        if (Unsent > Options.WriteHighWaterMark) FlushWrites();
        else QueueFlush();
    }

    /// <summary>Reads exactly <paramref name="count"/> bytes and calls back with them.</summary>
    /// <param name="count">Zero calls back with nothing.</param>
    /// <param name="callback">Runs on the loop, never inside this call; with an empty array if a streaming callback got the data.</param>
    /// <param name="streamingCallback">Gets the data piece by piece as it arrives.</param>
    /// <remarks>
    /// If the stream closes first, the callback does not run: see <see cref="SetCloseCallback"/>. If a callback throws, that is logged and
    /// closes the stream. The execution context does not flow into it. A streaming read is one read from its first piece to its last;
    /// <see cref="IOStreamOptions.ReadTimeout"/> applies to each piece. May be called from any thread.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="StreamClosedException">The stream is closed, and the buffer does not have that many bytes.</exception>
    public void ReadBytes(int count, Action<byte[]> callback, Action<byte[]>? streamingCallback = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentNullException.ThrowIfNull(callback);
        if (streamingCallback is null) MakeRead(() => Deliver(ReadBytesAsync(count), callback), needsData: count > 0);
        else MakeRead(() => Deliver(StreamAsync(count, streamingCallback), callback), needsData: count > 0);
    }

    /// <summary>Reads up to and including <paramref name="delimiter"/> and calls back with the data.</summary>
    /// <inheritdoc cref="ReadBytes(int, Action{byte[]}, Action{byte[]}?)" path="/remarks"/>
    /// <param name="delimiter">One byte or more.</param>
    /// <param name="callback">Runs on the loop, never inside this call.</param>
    /// <param name="maxBytes">
    /// The most bytes that the result may have. Exceeding it closes the stream with an <see cref="UnsatisfiableReadException"/>, whatever
    /// <see cref="IOStreamOptions.OnReadLimit"/> says: the close callback is the only one that can be notified.
    /// </param>
    /// <exception cref="ArgumentException">The delimiter is empty, or the limit is not positive.</exception>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="StreamClosedException">The stream is closed, and the delimiter is not in the buffer.</exception>
    public void ReadUntil(ReadOnlySpan<byte> delimiter, Action<byte[]> callback, int? maxBytes = null)
    {
        if (delimiter.IsEmpty) throw new ArgumentException("The delimiter is empty.", nameof(delimiter));
        ArgumentNullException.ThrowIfNull(callback);
        CheckLimit(maxBytes);
        byte[] copy = delimiter.ToArray();
        MakeRead(() => Deliver(ReadUntilAsync(copy, maxBytes), callback), needsData: true);
    }

    /// <summary>Reads up to the end of the leftmost match of <paramref name="regex"/> and calls back with the data.</summary>
    /// <inheritdoc cref="ReadBytes(int, Action{byte[]}, Action{byte[]}?)" path="/remarks"/>
    /// <param name="regex">Matches bytes as the characters U+0000 to U+00FF.</param>
    /// <param name="callback">Runs on the loop, never inside this call.</param>
    /// <param name="maxBytes">The most bytes that the result may have. Exceeding it closes the stream.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="StreamClosedException">The stream is closed, and there is no match in the buffer.</exception>
    public void ReadUntilRegex(Regex regex, Action<byte[]> callback, int? maxBytes = null)
    {
        ArgumentNullException.ThrowIfNull(regex);
        ArgumentNullException.ThrowIfNull(callback);
        CheckLimit(maxBytes);
        MakeRead(() => Deliver(ReadUntilRegexAsync(regex, maxBytes), callback), needsData: true);
    }

    /// <inheritdoc cref="ReadUntilRegex(Regex, Action{byte[]}, int?)"/>
    /// <param name="pattern">A .NET regular expression.</param>
    /// <param name="callback">Runs on the loop, never inside this call.</param>
    /// <param name="maxBytes">The most bytes that the result may have. Exceeding it closes the stream.</param>
    public void ReadUntilRegex(string pattern, Action<byte[]> callback, int? maxBytes = null) =>
        ReadUntilRegex(Searching.PatternCache.Get(pattern), callback, maxBytes);

    /// <summary>Reads everything until EOF and calls back with it.</summary>
    /// <inheritdoc cref="ReadBytes(int, Action{byte[]}, Action{byte[]}?)" path="/remarks"/>
    /// <param name="callback">Runs on the loop, never inside this call; with an empty array if a streaming callback got the data.</param>
    /// <param name="streamingCallback">Gets the data piece by piece as it arrives.</param>
    /// <exception cref="InvalidOperationException">A read is already pending; it continues.</exception>
    /// <exception cref="StreamClosedException">The stream did not end with a regular EOF, or EOF was already returned.</exception>
    public void ReadUntilClose(Action<byte[]> callback, Action<byte[]>? streamingCallback = null)
    {
        ArgumentNullException.ThrowIfNull(callback);
        bool needsData = CloseReason != CloseReason.EndOfStream;
        if (streamingCallback is null) MakeRead(() => Deliver(ReadUntilCloseAsync(), callback), needsData);
        else MakeRead(() => Deliver(StreamAsync(null, streamingCallback), callback), needsData);
    }

    private void WriteLater(byte[] data, Action? callback)
    {
        if (IsClosed) throw ClosedException();
        if (_state.WriteEnd != WriteEnd.Open) throw WritesCompleted();
        Interlocked.Increment(ref _writesOnTheirWay);
        PostCall(() =>
        {
            Interlocked.Decrement(ref _writesOnTheirWay);
            try
            {
                Write(data, callback);
            }
            catch (StreamClosedException)
            {
                // The call had accepted it, and the close came first.
                LogUnsent(data.Length, Error, IsCutByPeer(CloseReason, Error));
            }
            catch (StreamBufferFullException full)
            {
                CloseNow(CloseReason.Error, full);
                LogUnsent(data.Length, full, isCutByPeer: false);
            }
        });
    }

    /// <summary>Makes a call that reads, on the loop. A call that needs data gets none from a closed stream with an empty buffer.</summary>
    private void MakeRead(Action call, bool needsData)
    {
        if (Loop.IsCurrent)
        {
            call();
            return;
        }

        if (IsReading) throw AlreadyReading();
        if (IsClosed && needsData && _reads.Buffer.Length == 0) throw ClosedException();
        Interlocked.Increment(ref _readsOnTheirWay);
        PostCall(() =>
        {
            try
            {
                call();
            }
            finally
            {
                Interlocked.Decrement(ref _readsOnTheirWay);
            }
        });
    }

    /// <summary>Posts a call from another thread. If a close comes first, the close callback reports it.</summary>
    private void PostCall(Action call)
    {
        bool wasClosed = IsClosed;
        bool isPosted = Loop.TryPost((call, wasClosed), static posted =>
        {
            try
            {
                posted.call();
            }
            catch (StreamClosedException) when (!posted.wasClosed)
            {
            }
        });
        if (!isPosted) throw ClosedException();
    }

    /// <summary>Calls back with a read's result. Argument and state errors are thrown to the caller.</summary>
    private void Deliver(ValueTask<byte[]> read, Action<byte[]> callback)
    {
        if (!read.IsCompleted)
        {
            DeliverLater(read, callback);
            return;
        }

        byte[] result;
        try
        {
            result = read.GetAwaiter().GetResult();
        }
        catch (UnsatisfiableReadException error)
        {
            // What is buffered may exceed the limit already. That is no error of the call.
            CloseNow(CloseReason.Error, error);
            return;
        }

        RunCallbackLater(() => TryRun(callback, result));
    }

    private async void DeliverLater(ValueTask<byte[]> read, Action<byte[]> callback)
    {
        try
        {
            byte[] result = await read;
            TryRun(callback, result);
        }
        catch (StreamClosedException)
        {
            // The close callback is the only one that can be notified. If the other direction is still open, it ends too.
            if (!_state.EndsWrites) _closing = CloseInOrderAsync(EofReason, s_defaultCloseTimeout);
        }
        catch (Exception error)
        {
            // A timeout, or the expression's own limit: it can be reported nowhere else.
            CloseNow(error is TimeoutException ? CloseReason.Timeout : CloseReason.Error, error);
        }
    }

    /// <summary>Runs a user's callback on the loop, not within the current call. If it throws, the stream closes.</summary>
    private protected void RunCallbackLater(Action callback) => Loop.PostOrPool(
        (Stream: this, callback), static call => call.Stream.TryRun(static run => run(), call.callback));

    private bool TryRun<T>(Action<T> callback, T argument)
    {
        IOLoop.ForgetAsyncLocals(); // they would flow into the callback of a read that had to wait, and into no other
        Loop.SetRunning(argument is Delegate function ? function : callback);
        try
        {
            callback(argument);
            return true;
        }
        catch (Exception error)
        {
            Log.StreamCallbackFailed(Loop.Logger, error, this);
            Loop.ReportUnhandled(error);
            CloseNow(CloseReason.Error, error, isKnown: true);
            return false;
        }
    }
}
