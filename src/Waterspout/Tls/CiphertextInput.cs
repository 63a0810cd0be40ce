using System.Buffers;
using System.Threading.Tasks.Sources;
using Waterspout.Loop;

namespace Waterspout.Tls;

/// <summary>Ciphertext on its way to SslStream, which reads once at a time and waits for more.</summary>
/// <remarks>
/// <para>Theory of operation. The stream above receives when it has a reader and the poller has reported something: it then calls
/// <see cref="Continue"/>, which receives for the read of SslStream that waits. What the poller has reported is remembered here, as the
/// stream does for itself, and for the same reasons (<see cref="ReadHalf"/>): the stream's own memory is of plaintext.</para>
/// <para>A read that had to wait completes without the loop's synchronization context. Under one, tasks whose awaiters requested no context
/// continue on the pool instead of inline; and a renegotiation (TLS 1.2) consists of such tasks. On the pool it would run concurrently with
/// the loop's own writes, and its records would be sent between those that are encrypted here, in another order than that of their
/// keys.</para>
/// </remarks>
internal sealed class CiphertextInput(ITransport transport) : IValueTaskSource<int>
{
    // A ClientHello with a post-quantum key share has 1.7 KB. Longer hellos are read in the usual way.
    private const int FirstSize = 4096;

    private TurnBudget _budget = new();
    private ReceivedRecords _records;
    private ManualResetValueTaskSourceCore<int> _source;
    private Memory<byte> _buffer; // of the pending read
    private volatile Phase _phase;
    private bool _isReadable;

    private enum Phase
    {
        Idle,
        Waiting,
        Deferred,
    }

    /// <summary>Why nothing more can be received.</summary>
    internal Exception? Error { get; private set; }

    /// <summary>The poller has reported that the peer has ended its side of the connection.</summary>
    internal bool IsEndAnnounced { get; private set; }

    /// <summary>
    /// SslStream has received EOF of the connection. If it has not, an EOF that SslStream reports is a close_notify of the peer.
    /// </summary>
    internal bool IsEndGiven { get; private set; }

    /// <summary>Records wait for the next turn of the loop. The stream is notified when they have been read.</summary>
    internal bool IsDeferred => _phase == Phase.Deferred;

    /// <summary>What was received last may hold data; in TLS 1.3, it is encrypted.</summary>
    internal bool IsInApplicationData => _records.IsInApplicationData;

    internal bool IsHandshake
    {
        set => _records.IsHandshake = value;
    }

    internal bool HasKept => !_records.IsEmpty;

    /// <summary>Remembers what the poller has reported.</summary>
    internal void Report(IOEvents events)
    {
        if ((events & (IOEvents.ReadClosed | IOEvents.HangUp)) != 0) IsEndAnnounced = true;
        if ((events & (IOEvents.Read | IOEvents.ReadClosed | IOEvents.Error)) != 0) _isReadable = true;
    }

    /// <summary>Receives on the loop, or waits. An empty buffer waits until a receive is worth a try.</summary>
    internal ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        if (!transport.Loop.IsCurrent) return ReadFromElsewhere(buffer);
        bool isInTime = buffer.IsEmpty || MayDecrypt();
        if (isInTime && TryRead(buffer) is { } count) return new ValueTask<int>(count);
        ValueTask<int> result = Wait(buffer);
        if (!isInTime) Defer();
        return result;
    }

    /// <summary>Takes data from the kernel for the read that waits, if there is one.</summary>
    internal void Continue()
    {
        if (_phase != Phase.Waiting) return;
        if (_buffer.IsEmpty || MayDecrypt()) Receive();
        else Defer();
    }

    /// <summary>Keeps what had arrived before TLS began.</summary>
    internal void Keep(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        byte[] memory = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(memory);
        _records.Keep(memory, data.Length);
    }

    /// <summary>Takes what is kept.</summary>
    internal int Take(Span<byte> buffer) => _records.Take(buffer);

    /// <summary>Receives the first bytes of the peer, on the loop, for the first reads on another thread.</summary>
    internal async ValueTask ReceiveFirstAsync()
    {
        if (HasKept) return;
        byte[] memory = ArrayPool<byte>.Shared.Rent(FirstSize);
        int? count;
        while ((count = ReceiveNow(memory)) is null) await ReadAsync(Memory<byte>.Empty);
        _records.Keep(memory, count.Value);
    }

    /// <summary>Nothing more will be received.</summary>
    internal void Close(Exception error)
    {
        if (_phase != Phase.Idle) Fail(error);
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _source.Reset();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private bool MayDecrypt() => _budget.Allows(transport.Loop.Turn, _records.LastSize);

    private int? TryRead(Memory<byte> buffer)
    {
        if (HasKept) return buffer.IsEmpty ? 0 : _records.Take(buffer.Span);
        if (buffer.IsEmpty) return _isReadable ? 0 : null;
        Span<byte> space = buffer.Span[.._records.Limit(buffer.Length)];
        int? count = ReceiveNow(space);
        if (count is null) return null;
        IsEndGiven |= count == 0;
        return _records.Give(space[..count.Value]);
    }

    private int? ReceiveNow(Span<byte> space)
    {
        if (!_isReadable) return null;
        try
        {
            int? count = transport.Receive(space);
            bool isShort = count > 0 && count < space.Length && transport.ShortMeansBlocked && !IsEndAnnounced;
            if (count is null || isShort) Await();
            return count;
        }
        catch (Exception error)
        {
            Error = error;
            throw;
        }
    }

    private void Await()
    {
        _isReadable = false;
        transport.Await(IOEvents.Read | (IsEndAnnounced ? 0 : IOEvents.ReadClosed));
    }

    // A user's callback in a renegotiation has continued on a thread of the user's.
    private ValueTask<int> ReadFromElsewhere(Memory<byte> buffer)
    {
        ValueTask<int> result = Wait(buffer);
        ObjectDisposedException.ThrowIf(!transport.Loop.TryPost(this, static input => input.Continue()), transport.Loop);
        return result;
    }

    // SslStream starts one read at a time, so one source is enough for all of them.
    private ValueTask<int> Wait(Memory<byte> buffer)
    {
        _buffer = buffer;
        ValueTask<int> result = new(this, _source.Version);
        _phase = Phase.Waiting;
        return result;
    }

    /// <summary>Reads in the next turn of the loop, or a later one if others have waited longer.</summary>
    private void Defer()
    {
        _phase = Phase.Deferred;
        transport.Loop.Defer(this, static input => input.Resume());
    }

    private void Resume()
    {
        if (_phase != Phase.Deferred) return;
        _phase = Phase.Waiting;
        _budget.Begin(transport.Loop.Turn);
        Receive();
        if (_phase == Phase.Waiting) transport.OnDeferredInVain();
    }

    private void Receive()
    {
        try
        {
            if (TryRead(_buffer) is { } count) Complete(count);
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private void Complete(int count)
    {
        using SynchronizationContextScope scope = new(null);
        _buffer = default;
        _phase = Phase.Idle;
        _source.SetResult(count);
    }

    private void Fail(Exception error)
    {
        using SynchronizationContextScope scope = new(null);
        _buffer = default;
        _phase = Phase.Idle;
        _source.SetException(error);
    }
}
