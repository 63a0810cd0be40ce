using Waterspout;

namespace RedisClient;

/// <summary>One connection for any number of callers on any threads. Commands leave together, and replies come in their order.</summary>
internal sealed class RespClient : IAsyncDisposable
{
    private readonly IOStream _stream;
    private readonly Lock _order = new();
    private readonly Queue<TaskCompletionSource<object?>> _waiting = new();
    private readonly Task _reading;

    internal RespClient(IOStream stream)
    {
        _stream = stream;
        _reading = ReadAsync();
    }

    /// <summary>Sends a command and returns its reply. May be called before earlier calls have their replies.</summary>
    internal async Task<object?> CallAsync(params string[] command)
    {
        byte[] request = Resp.Format(command);
        TaskCompletionSource<object?> reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ValueTask written;
        lock (_order)
        {
            _waiting.Enqueue(reply);
            written = _stream.WriteAsync(request.AsMemory()); // begun under the lock, so that both have the same order
        }

        await written; // waits while too much is unsent
        return await reply.Task is RespException error ? throw error : reply.Task.Result;
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.CloseAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        Exception error = new StreamClosedException(CloseReason.EndOfStream);
        try
        {
            await _stream.ReadMessagesAsync<object?>(Resp.TryParse, Complete, maxBytes: 2 * Resp.LongestValue);
        }
        catch (Exception failure)
        {
            error = failure; // whatever it is: nobody may wait for a reply that cannot come
        }

        // A caller that comes from now on gets its error from its write.
        _stream.Close();
        lock (_order)
        {
            while (_waiting.TryDequeue(out TaskCompletionSource<object?>? caller)) caller.SetException(error);
        }
    }

    private bool Complete(object? reply)
    {
        TaskCompletionSource<object?>? caller;
        lock (_order)
        {
            if (!_waiting.TryDequeue(out caller)) throw new InvalidDataException("A reply has arrived that nobody has asked for.");
        }

        caller.SetResult(reply);
        return true;
    }
}
