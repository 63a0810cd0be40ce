namespace Waterspout.Tls;

/// <summary>The connection as the <see cref="Stream"/> that SslStream needs.</summary>
/// <remarks>
/// <para>Reads wait, and complete on the loop; during the handshake, which is computed elsewhere, the handshake makes them. Writes never
/// wait. So an encryption is never interrupted in the middle; <see cref="SslStreamEngine.Write"/> holds back while ciphertext waits to be
/// sent.</para>
/// <para>Each crossing between threads costs both sides more than what is read or written. A handshake needs two in each direction, the
/// minimum for its two flights: a write is not awaited, the read after it takes it to the loop, and a server begins with the client's first
/// bytes.</para>
/// </remarks>
internal sealed class TransportStream(ITransport transport) : RecordStreamBase
{
    internal CiphertextInput Input { get; } = new(transport);

    internal CiphertextOutput Output { get; } = new(transport);

    /// <summary>The handshake, while there is one. It makes SslStream's reads, which come from other threads.</summary>
    internal Handshake? Handshake
    {
        get;
        set
        {
            field = value;
            Input.IsHandshake = value is not null;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Handshake is not { } handshake) return Input.ReadAsync(buffer);
        return Input.HasKept ? new ValueTask<int>(Input.Take(buffer.Span)) : handshake.ReadAsync(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    // Never waits, so SslStream may send an alert synchronously too.
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!transport.Loop.IsCurrent) Output.WriteFromElsewhere(buffer, isTakenLater: Handshake is not null);
        else if (Handshake is not null) Output.WriteLater(buffer);
        else Output.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
}
