using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Waterspout.Orleans;

/// <summary>Accepts connections for Orleans, one after the other. They outlive it.</summary>
internal sealed partial class OrleansListener(StreamListener listener, ILogger logger) : IConnectionListener
{
    public EndPoint EndPoint => listener.LocalEndPoint;

    /// <summary>The next connection; null when the listener is closed.</summary>
    /// <remarks>An exception would end Orleans' accepting for good, so one that concerns a single connection is only logged.</remarks>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                return new OrleansConnection(await listener.AcceptAsync(cancellationToken).ConfigureAwait(false));
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (StreamClosedException)
            {
                // The peer has left already, and the stream has logged that.
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                ConnectionFailed(EndPoint, error);
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => listener.DisposeAsync();

    public ValueTask DisposeAsync() => listener.DisposeAsync();

    [LoggerMessage(1, LogLevel.Warning, "A connection to {EndPoint} could not be accepted.")]
    private partial void ConnectionFailed(EndPoint endPoint, Exception error);
}
