using Waterspout.Connecting;

namespace Waterspout;

/// <summary>HTTP clients on event loops.</summary>
public static class SocketsHttpHandlerExtensions
{
    /// <summary>
    /// Has an HTTP client make its connections as streams of this library, for whatever takes the handler: HttpClient, YARP, gRPC.
    /// </summary>
    /// <param name="handler">The handler, before its first request. Its callback for connections is replaced.</param>
    /// <param name="options">
    /// Limits and settings of the connections; null for the defaults. Time limits of reads and writes do not apply: the client has its own.
    /// </param>
    /// <param name="loop">
    /// The loop that watches the connections; <see cref="IOLoop.Default"/> when null. A callback that blocks it holds them up.
    /// </param>
    /// <returns>The same handler.</returns>
    /// <remarks>
    /// <para>The addresses of a name are raced as by <see cref="IOStream.ConnectAsync(string, int, IOStreamOptions?, CancellationToken)"/>,
    /// and a connection is its <see cref="BaseIOStream.AsStream"/>: received and sent on the thread that runs the client's code. TLS,
    /// HTTP/2, pools, proxies and time limits stay the handler's. A request whose cancellation ends the attempt closes the socket.</para>
    /// <para>An address that cannot be connected to is an <see cref="HttpRequestException"/>, whose inner exception is a
    /// <see cref="StreamClosedException"/>. May be called on any thread. Tornado has no equivalent.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException">The handler is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">One of the options is out of range.</exception>
    /// <exception cref="InvalidOperationException">The handler has been used.</exception>
    public static SocketsHttpHandler UseWaterspout(this SocketsHttpHandler handler, IOStreamOptions? options = null, IOLoop? loop = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        options?.Validate(nameof(options));
        // The server's EOF may come before the stream is taken over, and must not close it with what precedes the EOF unread.
        IOStreamOptions used = (options ?? IOStreamOptions.Default) with { AllowHalfOpen = true };
        handler.ConnectCallback = async (context, token) =>
        {
            (string host, int port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
            IOStream stream = await HappyEyeballs.ConnectAsync(host, port, used, loop ?? IOLoop.Default, used.ConnectTimeout, token).ConfigureAwait(false);
            return stream.AsStream();
        };
        return handler;
    }
}
