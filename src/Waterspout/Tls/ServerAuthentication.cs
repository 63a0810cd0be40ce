using System.Net.Security;

namespace Waterspout.Tls;

/// <summary>The server's side of a handshake. One object serves all connections.</summary>
/// <param name="Authenticate">Starts it for one stream.</param>
/// <param name="Options">The options of all connections; null if they are selected for each.</param>
internal sealed record ServerAuthentication(Func<SslStream, SslIOStream, Task> Authenticate, SslServerAuthenticationOptions? Options)
{
    /// <summary>With the same options for all clients.</summary>
    internal static ServerAuthentication With(SslServerAuthenticationOptions options) =>
        // No token: when the stream closes, the transport closes too, and the next read of the handshake fails.
        new((ssl, _) => ssl.AuthenticateAsServerAsync(options), options);

    /// <summary>With options that are selected for each client, by what its hello says.</summary>
    internal static ServerAuthentication Select(Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>> select)
    {
        ServerOptionsSelectionCallback callback = (_, hello, _, closed) => select(hello, closed);
        return new ServerAuthentication((ssl, stream) => ssl.AuthenticateAsServerAsync(callback, null, stream.Closed), Options: null);
    }
}
