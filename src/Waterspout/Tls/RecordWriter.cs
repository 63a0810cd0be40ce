using System.Buffers;
using System.Net.Security;

namespace Waterspout.Tls;

/// <summary>The writes of a TLS stream: plaintext becomes records.</summary>
/// <remarks>
/// <para>Writes go into SslStream 16 KiB at a time if there is that much, since each becomes a record of at most that size. The bytes of a
/// record are reported as written when the system has all of it: only then are they sent.</para>
/// <para>During a renegotiation (TLS 1.2), which SslStream does within a read, a write has to wait until it is over.</para>
/// </remarks>
internal sealed class RecordWriter(SslIOStream owner, SslStream ssl, CiphertextOutput output)
{
    // The most plaintext in one record (RFC 8446, 5.1).
    private const int RecordSize = 16 * 1024;

    // Four records at a time: what the kernel does not accept of them is copied, and the time on the loop stays short.
    private const int BatchSize = 4 * RecordSize;

    private int _unreported;
    private int _overhead; // of each record in the unreported data
    private Task? _encrypting; // an encryption that could not complete at once
    private byte[]? _record; // its plaintext, unless that is memory of the stream above
    private bool _isAwaitingEncryption;

    /// <summary>A write has begun, and continues when the descriptor is writable.</summary>
    internal bool HasUnreported => _unreported > 0;

    /// <inheritdoc cref="ITlsEngine.Write"/>
    internal int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        if (_unreported == 0) _unreported = Encrypt(pieces);
        // Checked before its records are sent: one that completes between the two has been sent in part.
        Task? encrypting = _encrypting is { IsCompleted: false } task ? task : null;
        if (encrypting is null) EndEncryption();
        output.Flush(isLast: owner.IsClosed);
        if (encrypting is not null)
        {
            if (!_isAwaitingEncryption) WaitForEncryption(encrypting);
            return null;
        }

        int left = CountUnsent();
        int written = _unreported - left;
        _unreported = left;
        if (written > 0) return written;
        return output.Error is { } error ? throw error : null;
    }

    /// <summary>How many of the bytes that are encrypted but not reported as written are in records that have not been sent.</summary>
    private int CountUnsent()
    {
        long unsent = output.Unsent;
        int count = 0;
        // All records but the last are full, and each has the same overhead.
        for (; unsent > 0 && count < _unreported; unsent -= _overhead)
        {
            int record = (_unreported - count) % RecordSize is > 0 and int part ? part : RecordSize;
            count += record;
            unsent -= record;
        }

        return count;
    }

    private async void WaitForEncryption(Task encrypting)
    {
        _isAwaitingEncryption = true;
        // Its outcome concerns the next write, which the stream above makes because of this one.
        await encrypting.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _isAwaitingEncryption = false;
        owner.OnEncryptionPossible();
    }

    private int Encrypt(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        ReadOnlyMemory<byte> first = pieces[0];
        if (pieces.Length == 1 || first.Length >= RecordSize)
        {
            // Whole records if more follows, so that the rest does not become a record of its own.
            int count = Math.Min(first.Length, BatchSize);
            if (pieces.Length > 1) count -= count % RecordSize;
            return BeginEncryption(first[..count]);
        }

        byte[] record = _record = ArrayPool<byte>.Shared.Rent(RecordSize);
        int length = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            ReadOnlySpan<byte> data = piece.Span[..Math.Min(piece.Length, RecordSize - length)];
            data.CopyTo(record.AsSpan(length));
            length += data.Length;
        }

        return BeginEncryption(record.AsMemory(0, length));
    }

    private int BeginEncryption(ReadOnlyMemory<byte> data)
    {
        long position = output.Position;
        ValueTask write = ssl.WriteAsync(data);
        _overhead = (int)(output.Position - position - data.Length) / ((data.Length + RecordSize - 1) / RecordSize);
        // Writes to the transport complete at once, so this does too, except during a renegotiation.
        if (write.IsCompletedSuccessfully) write.GetAwaiter().GetResult();
        else _encrypting = write.AsTask();
        return data.Length;
    }

    private void EndEncryption()
    {
        Task? encrypting = _encrypting;
        _encrypting = null;
        if (_record is { } record) ArrayPool<byte>.Shared.Return(record);
        _record = null;
        encrypting?.GetAwaiter().GetResult();
    }
}
