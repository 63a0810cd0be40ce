namespace Waterspout.Hosting;

/// <summary>Handles the connections of a server that <c>AddTcpServer</c> has registered.</summary>
/// <remarks>
/// Each connection gets a handler of its own, from a scope of services of its own. Both are disposed when its task has completed.
/// Difference from Tornado: its <c>TCPServer</c> has one <c>handle_stream</c> for all connections.
/// </remarks>
public interface IStreamHandler
{
    /// <summary>Handles a connection.</summary>
    /// <param name="stream">
    /// The connection; over TLS an <see cref="SslIOStream"/> whose handshake is done. When the returned task has completed, it is closed in
    /// an orderly way.
    /// </param>
    /// <param name="stopping">
    /// Cancelled when the host begins to stop. Pass it to reads, which then end and lose no byte; a write that it cancels would close the
    /// stream.
    /// </param>
    /// <returns>
    /// A task that completes when the conversation has ended. A failure is logged and closes only this connection. The ways in which a
    /// client leaves, and cancellation by <paramref name="stopping"/>, are not failures.
    /// </returns>
    /// <remarks>Called on the connection's loop, where awaits resume too. It must not block: see <see cref="IOLoop"/>.</remarks>
    Task HandleAsync(IOStream stream, CancellationToken stopping);
}
