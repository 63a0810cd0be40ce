using Waterspout.Diagnostics;

namespace Waterspout;

// How the callback forms are made of the awaitable ones: a call is made on the loop, and its result is delivered there.
public abstract partial class BaseIOStream
{
    private void WriteLater(byte[] data, Action? callback)
    {
        if (IsClosed) throw RefusedException();
        if (_state.WriteEnd != WriteEnd.Open) throw WritesCompleted();
        OffLoopCalls.Writes.BeginCrossing();
        PostCall((data, callback), static (stream, call) =>
        {
            try
            {
                stream.WriteAccepted(call.data, call.callback);
            }
            finally
            {
                stream.OffLoopCalls.Writes.EndCrossing();
            }
        });
    }

    /// <summary>Makes a write whose call has returned: a refusal can be logged only.</summary>
    private void WriteAccepted(byte[] data, Action? callback)
    {
        try
        {
            Write(data, callback);
        }
        catch (StreamClosedException)
        {
            // The close came first.
            LogUnsent(data.Length, Error, IsLostByPeer(CloseReason, Error));
        }
        catch (StreamBufferFullException full)
        {
            CloseNow(CloseReason.Error, full);
            LogUnsent(data.Length, full, isLostByPeer: false);
        }
    }

    /// <summary>Makes a call that reads, on the loop. A call that needs data gets none from a closed stream with an empty buffer.</summary>
    private void MakeRead<T>(T state, Action<BaseIOStream, T> call, bool needsData)
    {
        if (Loop.IsCurrent)
        {
            call(this, state);
            return;
        }

        if (IsReading) throw AlreadyReading();
        if (IsClosed && needsData && !_reads.HasData) throw RefusedException();
        OffLoopCalls.BeginRead();
        PostCall((call, state), static (stream, posted) =>
        {
            try
            {
                posted.call(stream, posted.state);
            }
            finally
            {
                stream.OffLoopCalls.EndRead();
            }
        });
    }

    /// <summary>Posts a call from another thread. If a close comes first, the close callback reports it.</summary>
    private void PostCall<T>(T state, Action<BaseIOStream, T> call)
    {
        bool isPosted = Loop.TryPost((call, Stream: this, state, WasClosed: IsClosed), static posted =>
        {
            try
            {
                posted.call(posted.Stream, posted.state);
            }
            catch (StreamClosedException) when (!posted.WasClosed)
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

        Loop.PostOrPool((callback, Stream: this, result), static call => call.Stream.TryRun(call.callback, call.result));
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
