using Waterspout.Tls;

namespace Waterspout;

public sealed partial class IOLoop
{
    private HandshakeGate? _clientHandshakes;
    private HandshakeGate? _serverHandshakes;

    /// <summary>What bounds the handshakes of this loop's streams. Apart for the two sides: where both are on one loop, they wait for each other.</summary>
    internal HandshakeGate GateOf(bool isServer) =>
        isServer ? _serverHandshakes ??= new HandshakeGate(this, isServer: true) : _clientHandshakes ??= new HandshakeGate(this, isServer: false);
}
