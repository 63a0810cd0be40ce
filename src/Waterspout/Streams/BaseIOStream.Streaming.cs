namespace Waterspout;

// Reads whose data goes to a callback piece by piece. Each piece is a separate read, but no other read may come between two of them.
public abstract partial class BaseIOStream
{
    /// <summary>Reads this number of bytes, or everything until EOF when null.</summary>
    private async ValueTask<byte[]> StreamAsync(int? count, Action<byte[]> streamingCallback)
    {
        if (_reads.IsStreaming) throw AlreadyReading();
        if (_state.EndsReads && !IsLeft(count)) throw RefusedException();
        try
        {
            for (int left = count ?? int.MaxValue; left > 0;)
            {
                if (await TryReadPieceAsync(Math.Min(left, Options.ChunkSize), isUntilEnd: count is null) is not { } piece) break;
                if (count is not null) left -= piece.Length;
                await OnFreshStack();
                if (!TryRun(streamingCallback, piece)) throw ClosedException();
            }

            return [];
        }
        finally
        {
            _reads.IsStreaming = false;
            if (_state.IsEofAnnounced) ProbeForEofLater();
        }
    }

    /// <summary>Null at EOF, if that is what the read waits for.</summary>
    private async ValueTask<byte[]?> TryReadPieceAsync(int most, bool isUntilEnd)
    {
        try
        {
            return await ReadPieceAsync(most);
        }
        catch (StreamClosedException closed) when (isUntilEnd && closed.Reason == CloseReason.EndOfStream && !_state.IsEofReturned)
        {
            _state.ReturnEof();
            return null;
        }
    }

    private ValueTask<byte[]> ReadPieceAsync(int most)
    {
        // Free only during this call, within which no other can be made.
        _reads.IsStreaming = false;
        ValueTask<byte[]> piece = ReadBytesAsync(most, partial: true);
        _reads.IsStreaming = true;
        return piece;
    }

    /// <summary>A closed stream still has this much data, or its EOF.</summary>
    private bool IsLeft(int? count) => count is { } least ? _reads.Buffer.Length >= least : HasRegularEof && !_state.IsEofReturned;

    /// <summary>Resumes from the loop's queue, so that no callback runs inside the call that requested it.</summary>
    private Task OnFreshStack()
    {
        TaskCompletionSource next = new();
        Loop.TryPost(next, static next => next.SetResult());
        return next.Task;
    }
}
