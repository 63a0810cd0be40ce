using Waterspout.Tls;

namespace Waterspout;

public sealed partial class IOLoop
{
    private HandshakeGate? _clientHandshakes;
    private HandshakeGate? _serverHandshakes;

    /// <summary>
    /// Bounds the handshakes of this loop's streams. Separate for the two sides: if both are on one loop, they wait for each other.
    /// </summary>
    internal HandshakeGate GateOf(bool isServer) =>
        isServer
            ? _serverHandshakes ??= new HandshakeGate(this, isServer: true)
            : _clientHandshakes ??= new HandshakeGate(this, isServer: false);
}
