using System.Buffers;
using System.Runtime.CompilerServices;
using Waterspout.Reads;

namespace Waterspout.Wrapping;

/// <summary>
/// The receiving side of a <see cref="WrappedIOStream"/>: what has been read of the wrapped stream, and the read under way.
/// </summary>
/// <remarks>
/// <para>Theory of operation. The peer's end, and an error, are seen by reading alone, and have to be noticed without a reader. So one read
/// is under way from the first use on, until as much as <see cref="MostAhead"/> waits to be taken; taking it continues the reading.</para>
/// <para>A read has memory of its own, which nothing else uses until it ends, whatever happens to the stream meanwhile.</para>
/// <para>It ends on any thread, and its outcome is handled on the loop. The wrapped stream keeps this object alive, and this object does
/// not keep the stream alive: so a stream that was dropped can be finalized.</para>
/// </remarks>
internal sealed class ReadAhead
{
    // As much as the kernel holds of a connection without a reader, at least.
    private const int MostAhead = 64 * 1024;

    // Enough for most messages, and little for a stream that waits.
    private const int SmallSpace = 4 * 1024;

    private readonly IWrapped _wrapped;
    private readonly WrappedIOStream.Reports _reports;
    private readonly ReadBuffer _buffer = new();
    private readonly Action _onEnded;
    private readonly Action _finish;
    private byte[]? _space; // of the read under way
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _read;
    private bool _isMuch; // the last read has filled its space
    private bool _isEnded;
    private bool _isClosed;
    private Exception? _closeError;

    internal ReadAhead(IWrapped wrapped, WrappedIOStream.Reports reports)
    {
        _wrapped = wrapped;
        _reports = reports;
        _finish = FinishAndContinue;
        _onEnded = () => _reports.Run(_finish);
    }

    internal bool IsUnderWay => _space is not null;

    /// <summary>The error of a read, which comes after what was read before it.</summary>
    internal Exception? Error { get; private set; }

    /// <summary>Takes what has been read. Null if there is nothing yet; 0 at the end.</summary>
    internal int? Take(Span<byte> target)
    {
        Continue();
        int count = Math.Min(target.Length, _buffer.Length);
        if (count == 0) return Error is { } error ? throw error : _isEnded ? 0 : null;
        _buffer.Data[..count].CopyTo(target);
        _buffer.Consume(count);
        Continue();
        return count;
    }

    /// <summary>Starts to read ahead, if the wrapped stream can be read at all.</summary>
    internal void Begin()
    {
        if (_wrapped.CanRead) Continue();
    }

    /// <summary>Nothing more is taken. The read under way holds its memory until it ends.</summary>
    internal void Close(Exception? error)
    {
        (_isClosed, _closeError) = (true, error);
        _buffer.Release();
        if (IsUnderWay) _wrapped.CancelRead();
        else _wrapped.ReleaseReads(error);
    }

    private bool IsOver => _isEnded || Error is not null;

    private IOEvents Events => IOEvents.Read | (Error is not null ? IOEvents.Error : _isEnded ? IOEvents.ReadClosed : IOEvents.None);

    /// <summary>Reads on, unless enough has been read already.</summary>
    private void Continue()
    {
        bool wasOver = IsOver;
        while (!IsUnderWay && !IsOver && !_isClosed && _buffer.Length < MostAhead) Start();
        // This may be inside a hook.
        if (!wasOver && IsOver) _reports.Later(Events);
    }

    private void Start()
    {
        _space = ArrayPool<byte>.Shared.Rent(_isMuch ? MostAhead : SmallSpace);
        ValueTask<int> read = _wrapped.ReadAsync(_space);
        _read = read.ConfigureAwait(false).GetAwaiter();
        if (_read.IsCompleted) Finish();
        else _read.UnsafeOnCompleted(_onEnded);
    }

    private void Finish()
    {
        byte[] space = _space!;
        _space = null;
        try
        {
            int count = _read.GetResult();
            _isEnded = count == 0;
            _isMuch = count == space.Length;
            if (!_isClosed) _buffer.Append(space.AsSpan(0, count));
        }
        catch (Exception error)
        {
            Error = error;
        }

        _read = default;
        ArrayPool<byte>.Shared.Return(space);
        if (_isClosed) _wrapped.ReleaseReads(_closeError);
    }

    private void FinishAndContinue()
    {
        Finish();
        if (_isClosed) return;
        Continue();
        _reports.Now(Events);
    }
}
