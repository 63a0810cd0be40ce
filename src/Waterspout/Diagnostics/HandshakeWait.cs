namespace Waterspout;

/// <summary>What a TLS handshake waits for: see <see cref="StreamInfo.HandshakeWait"/>.</summary>
public enum HandshakeWait
{
    /// <summary>There is no handshake under way.</summary>
    None,

    /// <summary>The peer's next message.</summary>
    Peer,

    /// <summary>A place: <see cref="IOStreamOptions.MaxHandshakes"/> are under way.</summary>
    Place,

    /// <summary>Its computation, which is queued or runs; or a callback of the user's that is not finished.</summary>
    Computation,
}
