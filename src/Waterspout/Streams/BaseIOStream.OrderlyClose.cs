using Waterspout.Diagnostics;
using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

// A close that sends everything first, and waits for the peer's end.
public abstract partial class BaseIOStream
{
    // Long enough for a slow peer to receive a full buffer, short enough that a peer that never closes does not keep a descriptor.
    private static readonly TimeSpan s_defaultCloseTimeout = TimeSpan.FromSeconds(10);

    private Task? _closing;

    /// <summary>
    /// Closes the stream in an orderly way: sends pending data, shuts down writing, waits for the peer's EOF, then closes. May be called
    /// from any thread.
    /// </summary>
    /// <param name="timeout">
    /// For all steps together; 10 seconds when null. When it expires the stream is closed immediately, with
    /// <see cref="CloseReason.Timeout"/> if data was still unsent. <see cref="Timeout.InfiniteTimeSpan"/> means no limit.
    /// </param>
    /// <remarks>
    /// Data written before the stream is connected waits for the connection. What the peer still sends is discarded, so that it does not
    /// cause a reset that could cost the peer the last of our data. A pending read fails at once, and no more reads and writes are
    /// accepted, except reads of the read buffer. Errors on the way are not thrown: <see cref="CloseReason"/> reports them. Tornado has no
    /// such call.
    /// </remarks>
    /// <example>
    /// <code>
    /// await stream.CompleteWritesAsync();             // sends FIN: no more data from us, but we keep reading
    /// byte[] answer = await stream.ReadUntilCloseAsync();
    /// await stream.CloseAsync(TimeSpan.FromSeconds(5)); // an orderly close; Close() would be immediate
    /// </code>
    /// </example>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    public ValueTask CloseAsync(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? s_defaultCloseTimeout;
        TimeLimit.CheckNotNegative(limit, nameof(timeout));
        OnCloseCalled();
        if (!Loop.IsCurrent) return CloseOffLoop(limit);
        if (_state.IsClosed) return default;
        // Not used yet, but the peer may have sent something, which a close at once would answer with a reset.
        RegisterAtFirstUse();
        if (_state.IsClosed) return default;
        TakeStaged();
        bool isFutile = _state.IsNew || _state.IsFailing || (IsConnecting && (Unsent == 0 || !WillConnect));
        if (_closing is null && isFutile) CloseNow(CloseReason.Local);
        else _closing ??= CloseInOrderAsync(CloseReason.Local, limit);
        return _closing is null ? default : new ValueTask(_closing);
    }

    private async Task CloseInOrderAsync(CloseReason reason, TimeSpan timeout)
    {
        _state.BeginClose();
        _expectedReason = reason;
        if (_reads.IsParsing) await Task.Yield(); // a parser closes the stream: its read comes first
        if (_reads.Pending is { } read && CompleteAtEof(read)) CompleteReadLater(read);
        UpdateRoot();
        using IDisposable limit = Loop.CallLater(timeout, () => OnCloseTimeout(reason));
        try
        {
            await FlushCore(default);
            if (TryEndWrites())
            {
                await WriteEndSent;
                if (!_state.IsEofReceived && _state.IsClosing) await DrainAsync();
            }
        }
        catch (StreamClosedException)
        {
            // The peer, an error or the time limit closed the stream first, and is in the outcome.
        }

        CloseNow(reason);
    }

    /// <summary>
    /// The orderly close has sent everything, and waits for the EOF of a peer that has sent nothing since the last query.
    /// </summary>
    private protected bool IsDrainQuiet() => _state.IsClosing && _reads.Pending is DiscardRead drain && drain.IsQuiet();

    /// <summary>Ends an orderly close that waits for nothing but the peer's EOF.</summary>
    private protected void EndDrain() => CloseNow(_expectedReason);

    /// <summary>Notifies the peer that this side has ended, if the close alone would not.</summary>
    private bool TryEndWrites()
    {
        if (IsEofInData ? EofReason == CloseReason.Truncated : _state.IsEofReceived) return false;
        if (_state.WriteEnd != WriteEnd.Open && !IsEofInData) return true;
        try
        {
            return ShutdownWrites();
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            // TLS sends nothing in the middle of a renegotiation. The stream closes all the same.
            return false;
        }
    }

    /// <summary>Receives and discards data until EOF. Limited by the close's time limit, not by that of reads.</summary>
    private ValueTask<bool> DrainAsync()
    {
        DiscardRead drain = DiscardRead.Rent();
        drain.Owner = this;
        _reads.Begin(drain);
        return ReceiveInline(drain) && _reads.Pending == drain ? CompleteInline(drain) : Wait(drain, default);
    }

    private void OnCloseTimeout(CloseReason reason)
    {
        if (Unsent == 0 && WriteEndSent.IsCompleted)
        {
            CloseNow(reason);
            return;
        }

        Loop.Counters.Timeouts[(int)TimedOperation.Close]++;
        string unsent = Unsent > 0 ? $"{Unsent} bytes" : "The end";
        CloseNow(CloseReason.Timeout, new TimeoutException($"{unsent} could not be sent before the close."));
    }
}
