namespace Waterspout;

public partial class SslIOStream
{
    /// <inheritdoc/>
    protected internal override void Describe(StreamInfo info)
    {
        base.Describe(info);
        info.HandshakeWait = _handshake?.Wait ?? HandshakeWait.None;
        if (!IsEstablished) return;
        info.SslProtocol = SslProtocol;
        info.CipherSuite = CipherSuite;
        info.ApplicationProtocol = ApplicationProtocol;
    }
}
