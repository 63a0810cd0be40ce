using System.Net;
using System.Net.Security;
using System.Security.Authentication;

namespace Waterspout;

/// <summary>What a stream was doing at one moment: see <see cref="IOLoop.GetStreams"/>. The stream does not change it afterwards.</summary>
/// <remarks>
/// <see cref="Explanation"/> says in one sentence what a connection waits for. Times are of the loop's clock, and exact to about ten
/// milliseconds. What can be set is for classes that describe themselves: <see cref="BaseIOStream.Describe"/>. Tornado has nothing like this.
/// </remarks>
public sealed partial class StreamInfo
{
    internal StreamInfo(string name, string kind) => (Name, Kind) = (name, kind);

    /// <summary>The name that the stream has in logs.</summary>
    public string Name { get; }

    /// <summary>
    /// The class of the stream. <c>AsStream</c> or <c>AsDuplexPipe</c> follows for a connection that was made of one by such a call.
    /// </summary>
    public string Kind { get; }

    /// <summary>The address of this side; null if there is none.</summary>
    public EndPoint? LocalEndPoint { get; set; }

    /// <summary>The address of the peer, or of the client that a proxy has named; null if there is none.</summary>
    public EndPoint? RemoteEndPoint { get; set; }

    /// <summary>Where the stream is in its life.</summary>
    public StreamPhase Phase { get; internal set; }

    /// <summary>The peer has sent EOF, or the connection has failed. There may be unread data before that.</summary>
    public bool HasPeerEnded { get; internal set; }

    /// <summary>The time since the stream was created. An upgrade to TLS creates another stream.</summary>
    public TimeSpan Age { get; internal set; }

    /// <summary>The time since a byte was last received or sent; null if that has not happened.</summary>
    public TimeSpan? SinceProgress { get; internal set; }

    /// <summary>The method whose read waits, such as <c>ReadUntilAsync</c>; null if none does.</summary>
    public string? PendingRead { get; internal set; }

    /// <summary>How long the read has been waiting; null if none is.</summary>
    public TimeSpan? PendingReadTime { get; internal set; }

    /// <summary>
    /// How long something has been waiting to be sent that the system does not accept; null while everything is accepted at once.
    /// </summary>
    public TimeSpan? PendingWriteTime { get; internal set; }

    /// <summary>How long the system has accepted nothing of what waits to be sent; null while it accepts everything.</summary>
    public TimeSpan? BlockedTime { get; internal set; }

    /// <summary>Bytes received and not read.</summary>
    public long ReadBuffered { get; internal set; }

    /// <summary>Bytes written and not accepted by the system.</summary>
    public long WriteBuffered { get; internal set; }

    /// <summary>Bytes that have arrived, and that the system holds since the stream has not received them. Over TLS they are encrypted.</summary>
    public long SystemReadBuffered { get; set; }

    /// <summary>
    /// Bytes that the system holds until the peer has taken them. Of a Unix socket it is memory, which is more. Zero where it is not known.
    /// </summary>
    public long SystemWriteBuffered { get; set; }

    /// <summary>Bytes received since the stream was created; over TLS, after decryption.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>Bytes accepted by the system since the stream was created; over TLS, before encryption.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>What the TLS handshake waits for. <see cref="HandshakeWait.None"/> without TLS, and when it is done.</summary>
    public HandshakeWait HandshakeWait { get; set; }

    /// <summary>The version of TLS; <see cref="SslProtocols.None"/> without TLS, and until the handshake is done.</summary>
    public SslProtocols SslProtocol { get; set; }

    /// <summary>The cipher suite; null without TLS, and until the handshake is done.</summary>
    public TlsCipherSuite? CipherSuite { get; set; }

    /// <summary>The protocol negotiated by ALPN; empty if there is none.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; set; }

    /// <summary>The user's parser or handler of pieces is running, or the pieces of a streaming read are.</summary>
    internal bool IsParsing { get; set; }

    /// <summary>The name, and the explanation.</summary>
    public override string ToString() => $"{Name}: {Explanation}";
}
