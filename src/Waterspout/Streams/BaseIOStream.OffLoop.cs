using System.Buffers;
using System.Text.RegularExpressions;
using Waterspout.Loop;

namespace Waterspout;

// Calls from other threads than the loop's. Each is a method of its own, because a closure over a method's parameters is
// allocated when the method begins, and the loop's own path must not pay for it.
public abstract partial class BaseIOStream
{
    private int _readsOnTheirWay;
    private int _writesOnTheirWay;
    private ArrayBufferWriter<byte>? _staging;

    private ValueTask<byte[]> ReadBytesElsewhere(int count, bool partial, CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadBytesAsync(count, partial, cancellationToken));

    private ValueTask<T> ReadBytesElsewhere<T>(int count, Func<ReadOnlySpan<byte>, T> parse, CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadBytesAsync(count, parse, cancellationToken));

    private ValueTask<int> ReadIntoElsewhere(Memory<byte> buffer, bool partial, CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadIntoAsync(buffer, partial, cancellationToken));

    private ValueTask<int> ReadOrEofElsewhere(Memory<byte> buffer, CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadOrEofAsync(buffer, cancellationToken));

    private ValueTask<T> ReadUntilElsewhere<T>(byte[] delimiter, Func<ReadOnlySpan<byte>, T> parse, int? maxBytes, CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadUntilAsync(delimiter, parse, maxBytes, cancellationToken));

    private ValueTask<bool> SplitElsewhere(byte[] delimiter, Func<ReadOnlySpan<byte>, bool> handle, int? maxBytes, CancellationToken cancellationToken) =>
        ReadElsewhere(() => SplitAsync(delimiter, handle, maxBytes, cancellationToken));

    private ValueTask<byte[]> ReadUntilRegexElsewhere(Regex regex, int? maxBytes, CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadUntilRegexAsync(regex, maxBytes, cancellationToken));

    private ValueTask<byte[]> ReadUntilCloseElsewhere(CancellationToken cancellationToken) =>
        ReadElsewhere(() => ReadUntilCloseAsync(cancellationToken));

    private ValueTask<ReadOnlyMemory<byte>> PeekElsewhere(int count, CancellationToken cancellationToken) =>
        ReadElsewhere(() => PeekAsync(count, cancellationToken));

    private ValueTask WriteElsewhere(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        WriteElsewhere(() => WriteAsync(data, cancellationToken));

    private ValueTask WriteSequenceElsewhere(ReadOnlySequence<byte> data, CancellationToken cancellationToken) =>
        WriteElsewhere(() => WriteAsync(data, cancellationToken));

    private void AdvanceElsewhere(int count)
    {
        if (IsClosed) throw ClosedException();
        if (_staging is null) throw new InvalidOperationException("GetMemory has to come first.");
        _staging.Advance(count);
        Write(_staging.WrittenSpan);
        _staging.ResetWrittenCount();
    }

    private ValueTask FlushElsewhere(CancellationToken cancellationToken) => CallElsewhere(() => FlushAsync(cancellationToken));

    private ValueTask CompleteWritesElsewhere(CancellationToken cancellationToken) => CallElsewhere(() => CompleteWritesAsync(cancellationToken));

    private ValueTask CloseElsewhere(TimeSpan? timeout)
    {
        ForwardedCall<bool> call = new(async () => { await CloseAsync(timeout); return true; }) { MayBeIgnored = true };
        if (Loop.TryPost(call, static call => call.Run())) return new ValueTask(call.Result);
        // The loop has ended, and has closed its streams.
        Close();
        return default;
    }

    // IsReading and IsWriting have to be true as soon as the call has returned.
    private ValueTask<T> ReadElsewhere<T>(Func<ValueTask<T>> read)
    {
        Interlocked.Increment(ref _readsOnTheirWay);
        return FromOtherThread(() =>
        {
            ValueTask<T> started = read();
            Interlocked.Decrement(ref _readsOnTheirWay);
            return started;
        });
    }

    private ValueTask WriteElsewhere(Func<ValueTask> write)
    {
        Interlocked.Increment(ref _writesOnTheirWay);
        return CallElsewhere(() =>
        {
            ValueTask started = write();
            Interlocked.Decrement(ref _writesOnTheirWay);
            return started;
        });
    }

    private protected ValueTask CallElsewhere(Func<ValueTask> call)
    {
        ValueTask<bool> forwarded = FromOtherThread(async () => { await call(); return true; });
        return forwarded.IsCompletedSuccessfully ? default : new ValueTask(forwarded.AsTask());
    }
}
