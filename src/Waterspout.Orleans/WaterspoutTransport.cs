using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Waterspout.Orleans;

/// <summary>Connects and listens for a silo or a client. Its loops end with the services of the host.</summary>
internal sealed class WaterspoutTransport : IConnectionFactory, IConnectionListenerFactory, IDisposable
{
    private readonly IOLoopGroup _loops;
    private readonly IOStreamOptions _options;
    private readonly ILogger _logger;

    public WaterspoutTransport(IOptions<OrleansTransportOptions> options, ILoggerFactory loggers)
    {
        // The peer's EOF may come before the pipes are made, and must not close the stream with what precedes it unread.
        _options = options.Value.Stream with { AllowHalfOpen = true };
        _logger = loggers.CreateLogger("Waterspout.Orleans");
        // Not the application's loops: a handler that blocks one would make other silos take this one for dead.
        _loops = new IOLoopGroup(options.Value.LoopCount, new IOLoopOptions { Name = "Orleans", LoggerFactory = loggers });
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new(new OrleansListener(new StreamListener(endpoint, _options, _loops.Next()), _logger));

    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        IOStream stream = new(socket, _options, _loops.Next());
        try
        {
            await stream.ConnectAsync(endpoint, cancellationToken: cancellationToken).ConfigureAwait(false);
            return new OrleansConnection(stream);
        }
        catch
        {
            stream.Close();
            throw;
        }
    }

    public void Dispose() => _loops.Dispose();
}
