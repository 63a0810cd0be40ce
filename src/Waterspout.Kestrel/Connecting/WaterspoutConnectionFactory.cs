using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Waterspout.Kestrel.Connecting;

namespace Waterspout.Kestrel;

/// <summary>Makes outgoing connections, for whatever connects by <see cref="IConnectionFactory"/>.</summary>
/// <remarks>
/// A connection is a pair of pipes, which any thread may use; see <see cref="BaseIOStream.AsDuplexPipe"/> for their contract. The factory
/// may be used by any number of threads at once, and needs no disposal.
/// </remarks>
public sealed class WaterspoutConnectionFactory : IConnectionFactory
{
    private readonly IOStreamOptions _options;
    private readonly IOLoop _loop;

    /// <summary>Creates a factory.</summary>
    /// <param name="options">Limits and settings of the connections; null for the defaults.</param>
    /// <param name="loop">The loop that watches the connections; <see cref="IOLoop.Default"/> when null.</param>
    public WaterspoutConnectionFactory(IOStreamOptions? options = null, IOLoop? loop = null)
    {
        // The peer's EOF may come before the pipes are made, and must not close the stream with what precedes it unread.
        _options = (options ?? new IOStreamOptions()) with { AllowHalfOpen = true };
        _loop = loop ?? IOLoop.Default;
    }

    /// <summary>Connects.</summary>
    /// <param name="endpoint">
    /// An IP address, a Unix socket, or a name (<see cref="DnsEndPoint"/>), whose addresses are tried as RFC 8305 says.
    /// </param>
    /// <param name="cancellationToken">Ends the attempt, and closes the socket.</param>
    /// <returns>
    /// The connection. Disposing it sends what is unsent and ends it; its token is cancelled when the peer has ended it, or it has failed.
    /// </returns>
    /// <exception cref="ArgumentNullException">The address is null.</exception>
    /// <exception cref="StreamClosedException">The connection could not be made; the inner exception is the reason.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        IOStream stream = new(CreateSocket(endpoint), _options, _loop);
        try
        {
            await stream.ConnectAsync(endpoint, cancellationToken: cancellationToken).ConfigureAwait(false);
            return new ClientConnection(stream);
        }
        catch
        {
            stream.Close();
            throw;
        }
    }

    private static Socket CreateSocket(EndPoint endpoint) => endpoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        // The name's addresses decide about the family.
        DnsEndPoint { AddressFamily: AddressFamily.Unspecified } => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        _ => new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
    };
}
