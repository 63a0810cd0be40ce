namespace Waterspout.Tls;

/// <summary>Tracks the records in received ciphertext, so that a receive can end where a record ends.</summary>
/// <remarks>
/// SslStream's buffer has room for one record of the largest size and a part of the next one, and it moves such a part to the front to
/// receive the rest: 16 KiB moved for each record of a bulk transfer. The size of a record that has not arrived is unknown, but in a bulk
/// transfer it is that of the previous one.
/// </remarks>
internal struct RecordCursor
{
    // The type, two bytes of version, two of length (RFC 8446, 5.1).
    private const int HeaderSize = 5;

    private const int ChangeCipherSpec = 20;
    private const int HandshakeMessage = 22;
    private const int ApplicationData = 23;

    private byte _type;
    private int _headerSeen;
    private int _missing; // of the record whose header is complete
    private int _last; // the size of the last record, including its header

    /// <summary>
    /// The last record that has begun holds data of the application, or looks so: in TLS 1.3 every encrypted record does.
    /// </summary>
    internal readonly bool IsInApplicationData => _type == ApplicationData;

    /// <summary>The size of the last record, with its header; 0 before the first one.</summary>
    internal readonly int LastSize => _last;

    private readonly bool IsAtEnd => _headerSeen == 0 && _missing == 0;

    /// <summary>How much to receive into the given space: as many records as fit, if they are like the last one.</summary>
    internal readonly int Limit(int space)
    {
        int toEnd = _headerSeen > 0 ? _last - _headerSeen : _missing;
        if (_last == 0 || toEnd < 0 || toEnd > space) return space;
        int limit = toEnd + ((space - toEnd) / _last * _last);
        return limit > 0 ? limit : space;
    }

    /// <summary>Advances to the end of the current record, and returns how many bytes that is: all, if it does not end in them.</summary>
    internal int Advance(ReadOnlySpan<byte> received)
    {
        int position = 0;
        while (_missing == 0 && position < received.Length)
        {
            AdvanceInHeader(received[position++]);
            if (IsAtEnd) return position; // an empty record
        }

        int count = Math.Min(_missing, received.Length - position);
        _missing -= count;
        return position + count;
    }

    /// <summary>The same, but past the records of a handshake, to the end of the first one that may hold data of the application.</summary>
    /// <remarks>
    /// A record of any other kind, such as an alert or garbage, comes alone: what is before it has to have its effect first.
    /// </remarks>
    internal int AdvanceToData(ReadOnlySpan<byte> received)
    {
        int position = Advance(received);
        while (IsAtEnd && IsOfHandshake(_type) && position < received.Length && MayFollow(received[position]))
            position += Advance(received[position..]);
        return position;
    }

    private static bool IsOfHandshake(byte type) => type is ChangeCipherSpec or HandshakeMessage;

    // In TLS 1.3 the last message of a handshake looks like data.
    private static bool MayFollow(byte type) => IsOfHandshake(type) || type == ApplicationData;

    private void AdvanceInHeader(byte value)
    {
        if (_headerSeen == 0) _type = value;
        _headerSeen++;
        if (_headerSeen == HeaderSize - 1)
        {
            _last = value << 8;
        }
        else if (_headerSeen == HeaderSize)
        {
            _missing = _last | value;
            _last = _missing + HeaderSize;
            _headerSeen = 0;
        }
    }
}
