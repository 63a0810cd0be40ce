namespace Waterspout.Duplex;

/// <summary>
/// A connection that any thread may use, as a <see cref="Stream"/>. Reads receive into the caller's memory, and writes send from it.
/// </summary>
internal sealed class ConnectionStream(PipeConnection connection) : AdapterStream
{
    internal static ConnectionStream Over(PipeConnection connection)
    {
        connection.IsStream = true;
        return new ConnectionStream(connection);
    }

    protected override bool WouldDeadlock => connection.Loop.IsInTurn;

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        connection.Input.ReadBytesAsync(buffer, cancellationToken);

    protected override int ReadNow(Memory<byte> buffer, int timeout) => connection.Input.ReadBytes(buffer, timeout);

    protected override ValueTask WriteCoreAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        connection.Output.WriteBytesAsync(data.Span, sendsAll: false, cancellationToken);

    protected override void WriteNow(ReadOnlySpan<byte> data, int timeout) => connection.Output.WriteBytes(data, sendsAll: false, timeout);

    protected override Task FlushCoreAsync(CancellationToken cancellationToken) =>
        connection.Output.WriteBytesAsync(default, sendsAll: true, cancellationToken).AsTask();

    protected override void FlushNow(int timeout) => connection.Output.WriteBytes(default, sendsAll: true, timeout);

    protected override Task CloseAsync()
    {
        connection.Input.End(new ObjectDisposedException(nameof(Stream)), null);
        return connection.CloseAsync();
    }
}
