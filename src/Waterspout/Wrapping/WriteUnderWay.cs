using System.Buffers;
using System.Runtime.CompilerServices;

namespace Waterspout.Wrapping;

/// <summary>The sending side of a <see cref="WrappedIOStream"/>: the write under way.</summary>
/// <remarks>
/// <para>Theory of operation. It is what the kernel's buffer is for a socket: a limited amount of data counts as sent once it is here, and
/// more is accepted when its write has ended. So a close without an error waits for the write under way, which happens after the stream
/// has closed, and within a limit.</para>
/// <para>The write has a copy, since the stream releases its memory. It ends on any thread, and its outcome is handled on the
/// loop.</para>
/// </remarks>
internal sealed class WriteUnderWay
{
    // What a socket accepts at once, about: more would be slower to fail, and to count.
    private const int MostAtOnce = 64 * 1024;

    // As long as an orderly close waits: then a peer that never reads does not keep the wrapped stream.
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(10);

    private readonly IWrapped _wrapped;
    private readonly WrappedIOStream.Reports _reports;
    private readonly Action _onEnded;
    private readonly Action _finish;
    private byte[]? _copy; // of what is being written
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _write;
    private TaskCompletionSource? _ended; // while something waits for the write under way
    private Task? _end;

    internal WriteUnderWay(IWrapped wrapped, WrappedIOStream.Reports reports)
    {
        _wrapped = wrapped;
        _reports = reports;
        _finish = FinishAndReport;
        _onEnded = () => _reports.Run(_finish);
    }

    internal Exception? Error { get; private set; }

    /// <summary>Completes when the end of this side has been accepted. Does not fail.</summary>
    internal Task End => _end ?? Task.CompletedTask;

    private bool IsUnderWay => _copy is not null;

    private Task Idle => IsUnderWay ? (_ended ??= new TaskCompletionSource()).Task : Task.CompletedTask;

    /// <summary>Starts to write the beginning of the data. Null while an earlier write is under way.</summary>
    internal int? Write(ReadOnlySpan<byte> data)
    {
        if (Error is null && !data.IsEmpty)
        {
            if (IsUnderWay) return null;
            data = data[..Math.Min(data.Length, MostAtOnce)];
            Start(data);
        }

        return Error is { } error ? throw error : data.Length;
    }

    /// <summary>Ends this side, after the write under way. False if that is not possible.</summary>
    internal bool TryEnd()
    {
        if (!_wrapped.CanEndWrites) return false;
        _end ??= EndAsync();
        return true;
    }

    /// <summary>Closes the wrapped stream: after an error at once, otherwise when all that was accepted has been written.</summary>
    internal async Task CloseAsync(Exception? error)
    {
        if (error is null) await FinishAsync().WaitAsync(s_closeTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (IsUnderWay) _wrapped.CancelWrite();
        _wrapped.Close();
        await Idle.ConfigureAwait(false);
        _wrapped.ReleaseWrites(error);
    }

    private async Task FinishAsync()
    {
        await Idle.ConfigureAwait(false);
        await End.ConfigureAwait(false);
    }

    private async Task EndAsync()
    {
        await Idle.ConfigureAwait(false);
        // If it fails there is no peer to notify, and reading or the close meets the reason.
        if (Error is null) await _wrapped.EndWritesAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Start(ReadOnlySpan<byte> data)
    {
        _copy = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(_copy);
        ValueTask write = _wrapped.WriteAsync(_copy.AsMemory(0, data.Length));
        _write = write.ConfigureAwait(false).GetAwaiter();
        if (_write.IsCompleted) Finish();
        else _write.UnsafeOnCompleted(_onEnded);
    }

    private void Finish()
    {
        byte[] copy = _copy!;
        _copy = null;
        try
        {
            _write.GetResult();
        }
        catch (Exception error)
        {
            Error = error;
        }

        _write = default;
        ArrayPool<byte>.Shared.Return(copy);
    }

    private void FinishAndReport()
    {
        Finish();
        _reports.Now(Error is null ? IOEvents.Write : IOEvents.Write | IOEvents.Error);
        if (!IsUnderWay) Interlocked.Exchange(ref _ended, null)?.SetResult();
    }
}
