using System.Text.RegularExpressions;

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

        if (BeginWrite(data.Length, default) is { } refusal) throw refusal;
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
        MakeRead((count, callback, streamingCallback), static (stream, call) =>
        {
            bool isStreaming = call.streamingCallback is not null;
            stream.Deliver(
                isStreaming ? stream.StreamAsync(call.count, call.streamingCallback!) : stream.ReadBytesAsync(call.count), call.callback);
        }, needsData: count > 0);
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
        MakeRead(
            (Delimiter: delimiter.ToArray(), maxBytes, callback),
            static (stream, call) => stream.Deliver(stream.ReadUntilAsync(call.Delimiter, call.maxBytes), call.callback),
            needsData: true);
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
        MakeRead(
            (regex, maxBytes, callback),
            static (stream, call) => stream.Deliver(stream.ReadUntilRegexAsync(call.regex, call.maxBytes), call.callback),
            needsData: true);
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
        MakeRead((callback, streamingCallback), static (stream, call) =>
        {
            bool isStreaming = call.streamingCallback is not null;
            stream.Deliver(isStreaming ? stream.StreamAsync(null, call.streamingCallback!) : stream.ReadUntilCloseAsync(), call.callback);
        }, needsData);
    }
}
