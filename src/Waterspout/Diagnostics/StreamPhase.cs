namespace Waterspout;

/// <summary>Where a stream is in its life: see <see cref="StreamInfo.Phase"/>.</summary>
public enum StreamPhase
{
    /// <summary>Created, and not used yet.</summary>
    New,

    /// <summary>Being connected: the name is resolved, or an address has not answered.</summary>
    Connecting,

    /// <summary>Connected, and in its TLS handshake.</summary>
    Handshake,

    /// <summary>Ready for reads and writes.</summary>
    Open,

    /// <summary>An error has ended its writes. What arrived before the error is still received.</summary>
    Failing,

    /// <summary>In an orderly close: what was written is sent, and the peer's end is awaited.</summary>
    Closing,
}
