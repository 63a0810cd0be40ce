using Waterspout.Interop;

namespace Waterspout;

public partial class IOStream
{
    private protected override StreamPhase ConnectingPhase => _phase switch
    {
        SocketPhase.Unconnected => StreamPhase.New,
        SocketPhase.Connected => StreamPhase.Handshake,
        _ => StreamPhase.Connecting,
    };

    /// <inheritdoc/>
    protected internal override void Describe(StreamInfo info)
    {
        base.Describe(info);
        info.LocalEndPoint = LocalEndPoint;
        info.RemoteEndPoint = RemoteEndPoint;
        info.SystemReadBuffered = Queues.Unread(_fd);
    }
}
