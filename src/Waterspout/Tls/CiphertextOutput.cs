using System.Runtime.CompilerServices;
using Waterspout.Loop;
using Waterspout.Writes;

namespace Waterspout.Tls;

/// <summary>Ciphertext on its way to the kernel. It never waits: what the kernel does not accept is kept, and sent later.</summary>
/// <remarks>
/// <para>On the loop, data is sent at once, from SslStream's own buffer: gathering four records for one call costs more for the copy than
/// the calls do (590 us a MiB, against 540 without). In a handshake it is sent at the end of the turn, so that a server's tickets and its
/// first data go together. Other threads, which compute handshakes, leave their data to the loop.</para>
/// <para>What waits to be sent goes with the next write of the stream above, which the poller wakes. TLS has data of its own too, such as
/// the answer to a key update: that also goes without a write.</para>
/// <para>After an error everything is kept, so that the stream can tell what was lost.</para>
/// </remarks>
internal sealed class CiphertextOutput(ITransport transport) : IFlushable
{
    private readonly Lock _lock = new();
    private byte[]? _fromElsewhere;
    private WriteBuffer? _unsent;
    private bool _isBlocked;
    private bool _isFlushQueued;

    // Enough for a batch that the kernel did not accept.
    [InlineArray(4)]
    private struct Pieces
    {
        private ReadOnlyMemory<byte> _first;
    }

    /// <summary>Why nothing more can be sent.</summary>
    internal Exception? Error { get; private set; }

    /// <summary>Bytes that wait to be sent.</summary>
    internal long Unsent => _unsent?.Length ?? 0;

    /// <summary>The number of bytes written on the loop.</summary>
    internal long Position { get; private set; }

    /// <summary>Sends data on the loop.</summary>
    internal void Write(ReadOnlySpan<byte> data)
    {
        TakeFromElsewhere();
        Position += data.Length;
        if (Unsent == 0) data = data[Send(data)..];
        Append(data);
    }

    /// <summary>Sends data on the loop, at the end of the turn.</summary>
    internal void WriteLater(ReadOnlySpan<byte> data)
    {
        TakeFromElsewhere();
        Append(data);
        FlushLater();
    }

    /// <summary>Accepts data on another thread.</summary>
    /// <param name="data">Copied.</param>
    /// <param name="isTakenLater">The caller will call <see cref="FlushLater"/> on the loop.</param>
    internal void WriteFromElsewhere(ReadOnlySpan<byte> data, bool isTakenLater)
    {
        lock (_lock) _fromElsewhere = [.. _fromElsewhere ?? [], .. data];
        if (!isTakenLater) transport.Loop.TryPost(this, static output => output.FlushLater());
    }

    /// <summary>Sends what there is at the end of the turn.</summary>
    internal void FlushLater()
    {
        if (_isFlushQueued) return;
        _isFlushQueued = true;
        transport.Loop.FlushAtEndOfTurn(this);
    }

    void IFlushable.FlushWrites()
    {
        _isFlushQueued = false;
        Flush();
    }

    /// <summary>Sends what the kernel accepts.</summary>
    /// <param name="isLast">There will be no event any more. The one that is on its way may say that there is room.</param>
    internal void Flush(bool isLast = false)
    {
        TakeFromElsewhere();
        if (isLast) _isBlocked = false;
        while (Unsent > 0 && !_isBlocked && Error is null) SendOnce();
        if (_unsent is not { IsUnused: true } buffer) return;
        _unsent = null;
        buffer.Return();
    }

    /// <summary>The descriptor has become writable, or has failed.</summary>
    internal void OnWritable() => _isBlocked = false;

    /// <summary>Nothing more will be sent.</summary>
    internal void Drop()
    {
        Error ??= new StreamClosedException(CloseReason.Local);
        _unsent?.Clear();
        _unsent?.Return();
        _unsent = null;
    }

    private void TakeFromElsewhere()
    {
        if (_fromElsewhere is null) return;
        lock (_lock)
        {
            Append(_fromElsewhere);
            _fromElsewhere = null;
        }
    }

    private void Append(ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty) (_unsent ??= WriteBuffer.Rent()).Append(data);
    }

    private int Send(ReadOnlySpan<byte> data)
    {
        int sent = 0;
        while (sent < data.Length && !_isBlocked && Error is null)
        {
            try
            {
                sent += Advance(transport.Send(data[sent..]), data.Length - sent);
            }
            catch (Exception error)
            {
                Fail(error);
            }
        }

        return sent;
    }

    private void SendOnce()
    {
        try
        {
            Pieces pieces = default;
            int count = _unsent!.Gather(pieces, out int offered);
            _unsent.Consume(Advance(
                count == 1 ? transport.Send(pieces[0].Span) : transport.Send(((ReadOnlySpan<ReadOnlyMemory<byte>>)pieces)[..count]), offered));
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private int Advance(int? count, int offered)
    {
        int sent = count ?? 0;
        _isBlocked = sent == 0 || (sent < offered && transport.ShortMeansBlocked);
        if (_isBlocked) transport.Await(IOEvents.Write);
        return sent;
    }

    private void Fail(Exception error)
    {
        Error = error;
        transport.OnSendFailed();
    }
}
