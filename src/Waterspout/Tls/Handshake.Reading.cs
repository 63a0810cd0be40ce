using System.Threading.Tasks.Sources;
using Waterspout.Loop;

namespace Waterspout.Tls;

// The reads that SslStream makes during the handshake, one at a time. They are received on the loop, and complete in the next step.
internal sealed partial class Handshake : IValueTaskSource<int>
{
    private volatile ReadPhase _reading;
    private ManualResetValueTaskSourceCore<int> _read;
    private Memory<byte> _buffer;
    private int _received;

    private enum ReadPhase
    {
        None,
        Wanted,
        Receiving,
    }

    /// <summary>SslStream needs more data.</summary>
    internal ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        _buffer = buffer;
        Interlocked.Exchange(ref _reading, ReadPhase.Wanted);
        ValueTask<int> read = new(this, _read.Version);
        // A step that is being computed checks this when it is over: SslStream has begun to wait by then.
        if (_phase != Phase.Computing) PostToLoop();
        return read;
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        try
        {
            return _read.GetResult(token);
        }
        finally
        {
            _read.Reset();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private void CompleteRead()
    {
        _buffer = default;
        _reading = ReadPhase.None;
        // On the loop too, SslStream must resume at once, in this call.
        using SynchronizationContextScope scope = new(null);
        _read.SetResult(_received);
    }

    private void FailRead()
    {
        if (Interlocked.Exchange(ref _reading, ReadPhase.None) == ReadPhase.None) return;
        using SynchronizationContextScope scope = new(null);
        _read.SetException(new IOException("The stream has closed."));
    }
}
