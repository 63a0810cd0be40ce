using System.Buffers;

namespace Waterspout.Tls;

/// <summary>Received ciphertext for SslStream, which gets it record by record.</summary>
/// <remarks>
/// SslStream decrypts all the records that it has within one read. If one of them is bad the read fails, and the data of those before it is
/// lost. A read with one record has nothing to lose. What arrives together with a record is kept here until SslStream asks for more. In a
/// handshake, records that hold no data come together, since each read costs a pass through SslStream.
/// </remarks>
internal struct ReceivedRecords
{
    private RecordCursor _cursor;
    private byte[]? _memory; // rented while there is something in it
    private int _start;
    private int _end;

    internal readonly bool IsEmpty => _memory is null;

    /// <summary>The last record that SslStream has got may hold data.</summary>
    internal readonly bool IsInApplicationData => _cursor.IsInApplicationData;

    /// <summary>The size of the last record whose header has arrived; 0 before the first one.</summary>
    internal readonly int LastSize => _cursor.LastSize;

    /// <summary>A handshake is going on.</summary>
    internal bool IsHandshake { get; set; }

    /// <summary>How much to receive into SslStream's buffer when nothing is kept.</summary>
    internal readonly int Limit(int space) => _cursor.Limit(space);

    /// <summary>Keeps the first bytes of rented memory.</summary>
    internal void Keep(byte[] memory, int count)
    {
        if (count == 0) ArrayPool<byte>.Shared.Return(memory);
        else (_memory, _start, _end) = (memory, 0, count);
    }

    /// <summary>Keeps what follows the first record in SslStream's buffer, and returns the number of bytes before that.</summary>
    internal int Give(ReadOnlySpan<byte> received)
    {
        int count = Advance(received);
        if (count < received.Length) KeepCopy(received[count..]);
        return count;
    }

    /// <summary>Copies kept data, up to the end of a record, and returns its length.</summary>
    internal int Take(Span<byte> buffer)
    {
        ReadOnlySpan<byte> kept = _memory.AsSpan(_start, Math.Min(_end - _start, buffer.Length));
        int count = Advance(kept);
        kept[..count].CopyTo(buffer);
        _start += count;
        if (_start == _end) Release();
        return count;
    }

    private int Advance(ReadOnlySpan<byte> received) => IsHandshake ? _cursor.AdvanceToData(received) : _cursor.Advance(received);

    private void KeepCopy(ReadOnlySpan<byte> data)
    {
        byte[] memory = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(memory);
        Keep(memory, data.Length);
    }

    private void Release()
    {
        ArrayPool<byte>.Shared.Return(_memory!);
        _memory = null;
    }
}
