using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Waterspout.Kestrel.Loops;

namespace Waterspout.Kestrel.Listening;

/// <summary>Makes Kestrel's listeners, which share their loops.</summary>
internal sealed class WaterspoutTransportFactory(
    IOptions<WaterspoutTransportOptions> options, ILoggerFactory loggers, IMemoryPoolFactory<byte>? pools = null)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly TransportLoops _loops = new(options);
    private readonly ILogger _logger = loggers.CreateLogger("Waterspout.Kestrel");

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or UnixDomainSocketEndPoint or FileHandleEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Socket socket = Bind(endpoint);
        try
        {
            MemoryPool<byte> pool = pools?.Create(new MemoryPoolOptions { Owner = "waterspout" }) ?? MemoryPool<byte>.Shared;
            return new ValueTask<IConnectionListener>(new TransportListener(socket, _loops, pool, options.Value, _logger));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Socket Bind(EndPoint endPoint)
    {
        Socket socket;
        try
        {
            socket = options.Value.CreateBoundListenSocket(endPoint);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            // The type that Kestrel catches, and reports with the address.
            throw new AddressInUseException(error.Message, error);
        }

        try
        {
            // Accepted sockets inherit it.
            if (socket.ProtocolType == ProtocolType.Tcp) socket.NoDelay = options.Value.NoDelay;
            socket.Blocking = false;
            socket.Listen(options.Value.Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
