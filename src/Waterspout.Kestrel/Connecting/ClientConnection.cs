using Waterspout.Duplex;
using Waterspout.Kestrel.Connections;

namespace Waterspout.Kestrel.Connecting;

/// <summary>An outgoing connection.</summary>
internal sealed class ClientConnection : PipeConnectionContext
{
    private readonly PipeConnection _connection;

    internal ClientConnection(IOStream stream)
        // Over a socket it is this class, whose token is cancelled by the peer's EOF already.
        : this((PipeConnection)stream.AsDuplexPipe())
    {
        RemoteEndPoint = stream.RemoteEndPoint;
        LocalEndPoint = stream.LocalEndPoint;
    }

    private ClientConnection(PipeConnection connection)
        : base(connection, connection.Closed) => _connection = connection;

    public override async ValueTask DisposeAsync()
    {
        await _connection.CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
