using System.Net;
using System.Net.Sockets;
using Waterspout.Loop;

namespace Waterspout;

/// <summary>
/// Limits and settings of a stream. Times may be up to <see cref="TimeSpan.MaxValue"/>, or <see cref="Timeout.InfiniteTimeSpan"/>, which
/// means no limit. One object may be used for any number of streams; do not change it once it is in use.
/// </summary>
public sealed record IOStreamOptions
{
    internal static readonly IOStreamOptions Default = new();

    // Four times what is received in a turn. A larger receive gains nothing, and would take that memory for every stream that receives.
    private const int LargestChunk = 1024 * 1024;

    private bool? _allowHalfOpen;

    /// <summary>
    /// The most bytes that may be buffered for one read. A read that would need more closes the stream with a
    /// <see cref="StreamBufferFullException"/>. 104,857,600 (100 MiB) by default.
    /// </summary>
    public int MaxBufferSize { get; set; } = 104_857_600;

    /// <summary>
    /// What happens to the stream when a read fails because its <c>maxBytes</c> is exceeded: by default it stays open, so that the peer can
    /// be answered, and nothing is consumed. The callback forms close the stream in any case. Tornado closes it.
    /// </summary>
    public ReadLimitAction OnReadLimit { get; set; } = ReadLimitAction.Keep;

    /// <summary>
    /// The most bytes received at a time, and read ahead of what a read needs. 65,536 by default; more than 1 MiB counts as 1 MiB.
    /// </summary>
    public int ReadChunkSize { get; set; } = 65_536;

    /// <summary>
    /// The most bytes that may wait to be sent. A write that would exceed it fails with <see cref="StreamBufferFullException"/>, and
    /// nothing of it is sent. 104,857,600 (100 MiB) by default; Tornado has no limit by default.
    /// </summary>
    public long MaxWriteBufferSize { get; set; } = 104_857_600;

    /// <summary>A write completes once at most this many bytes wait to be sent. 65,536 by default.</summary>
    public int WriteHighWaterMark { get; set; } = 65_536;

    /// <summary>
    /// What <see cref="BaseIOStream.WriteLineAsync"/> ends a line with: <c>"\n"</c>, which is the default, or <c>"\r\n"</c>. Lines are read
    /// with either end.
    /// </summary>
    public string NewLine { get; set; } = "\n";

    /// <summary>
    /// How long a read may take in all before it fails with <see cref="TimeoutException"/>, however much arrives meanwhile: a
    /// <see cref="BaseIOStream.ReadUntilCloseAsync"/> is one read, and each piece of <see cref="BaseIOStream.ReadChunksAsync"/>, or of a
    /// streaming callback, is one. Every byte stays buffered, and the stream stays usable. Null, the default, means no limit.
    /// </summary>
    /// <remarks>
    /// A read that is given a <c>timeout</c> has that limit instead of this one and of <see cref="MinimumReadRate"/>: zero returns what is
    /// there already, and <see cref="Timeout.InfiniteTimeSpan"/> means no limit. It costs no timer and no allocation for each read, and no
    /// <see cref="CancellationTokenSource"/>.
    /// </remarks>
    public TimeSpan? ReadTimeout { get; set; }

    /// <summary>
    /// The rate at which the peer must send while a read waits, as a limit for a peer that sends, but hardly anything. A read whose peer
    /// falls behind by more than the grace period fails with <see cref="TimeoutException"/>. Every byte stays buffered, and the stream
    /// stays usable. Null, the default, means no limit.
    /// </summary>
    /// <remarks>
    /// <para>Measured across reads, and only while one waits: a peer is not charged for the time of this side, and cannot reset the measure
    /// by many small messages. Bytes received faster than the rate make up for what is missing, but are not saved up. A long transfer that
    /// keeps the rate may take any time, unlike with <see cref="ReadTimeout"/>.</para>
    /// <para>A peer that may be silent between two messages needs a read with a <c>timeout</c> of its own for that time, which the rate
    /// does not apply to: <c>await stream.PeekAsync(1, timeout: idle)</c>. Over TLS the rate is that of the plain text. Tornado has no such
    /// limit.</para>
    /// </remarks>
    public MinimumRate? MinimumReadRate { get; set; }

    /// <summary>
    /// How long data may wait to be sent without progress, before the stream is closed with <see cref="CloseReason.Timeout"/>. Null, the
    /// default, means no limit.
    /// </summary>
    public TimeSpan? WriteTimeout { get; set; }

    /// <summary>
    /// The rate at which the peer must take data while some waits to be sent, as a limit for a peer that reads, but hardly anything. A
    /// stream whose peer falls behind by more than the grace period closes with <see cref="CloseReason.Timeout"/>. Null, the default, means
    /// no limit.
    /// </summary>
    /// <remarks>
    /// <para>Measured across writes, and only while the system accepts no more: a peer is not charged for the time of this side. Bytes taken
    /// faster than the rate make up for what is missing, but are not saved up. A long transfer that keeps the rate may take any
    /// time.</para>
    /// <para>The peer's system says in steps what was read: a step is a packet at least, and may be nearly all of its receive buffer. So the
    /// grace period has to be long enough for such a step at the speed of the slowest peer that is to live: 128 KiB at 10,000 bytes a
    /// second take 13 seconds. Over TLS the rate includes the records. A connection that <see cref="BaseIOStream.AsStream"/> or
    /// <see cref="BaseIOStream.AsDuplexPipe"/> has made of the stream has no such limit, like all limits of time. Tornado has none.</para>
    /// </remarks>
    public MinimumRate? MinimumWriteRate { get; set; }

    /// <summary>
    /// When the peer sends EOF, the stream stays open for writing until it is closed on this side too. Off by default: the peer's EOF
    /// closes the stream, as in Tornado.
    /// </summary>
    /// <remarks>
    /// A <see cref="TcpServer"/> turns it on unless it was set to false: the server closes the stream itself when the handler ends, and a
    /// client may send EOF right after its last request. Reads still end at EOF: awaited ones fail, and one in callback form closes the
    /// stream in an orderly way. Code that does not read, and only waits for <see cref="BaseIOStream.Closed"/>, does not notice EOF.
    /// </remarks>
    public bool AllowHalfOpen
    {
        get => _allowHalfOpen ?? false;
        set => _allowHalfOpen = value;
    }

    /// <summary>
    /// A TLS connection that ends without close_notify counts as a regular EOF. Off by default, since the connection may have been cut off
    /// on the way; some old servers never send it, and transmit the length in other ways.
    /// </summary>
    public bool AllowTruncation { get; set; }

    /// <summary>
    /// How long connecting may take in all before it fails with <see cref="TimeoutException"/>: name resolution, every address of the name
    /// and, for TLS, the handshake. Null, the default, means no limit of its own.
    /// </summary>
    public TimeSpan? ConnectTimeout { get; set; }

    /// <summary>
    /// How long a TLS handshake may take, once there is a connection, before the stream is closed with <see cref="CloseReason.Timeout"/>:
    /// of a client and of a server, of a stream that uses TLS from the start and of one that is upgraded. Everything that waits for the
    /// handshake, reads and writes included, fails with it. 10 seconds by default; null or <see cref="Timeout.InfiniteTimeSpan"/> means no
    /// limit. Tornado has no limit.
    /// </summary>
    /// <remarks>For connections that a server accepts with TLS see <see cref="TcpServerOptions.HandshakeTimeout"/>.</remarks>
    public TimeSpan? HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// This handshake may begin if fewer than this number of TLS handshakes are under way on the stream's loop; those of clients and of
    /// servers are counted separately. 1000 by default. Each takes 50 to 100 KB until it is done, and some milliseconds of a core. Tornado
    /// has no limit.
    /// </summary>
    /// <remarks>
    /// A handshake without a place waits for one as long as <see cref="HandshakeTimeout"/> allows, and what its peer has sent stays in the
    /// system meanwhile. A server's handshake takes a place only when the client has said hello; and while others wait, one whose client
    /// does not answer the server within half a second loses its place, and closes with <see cref="CloseReason.Timeout"/>.
    /// </remarks>
    public int MaxHandshakes { get; set; } = 1000;

    /// <summary>
    /// How long <see cref="IOStream.ConnectAsync(string, int, IOStreamOptions?, CancellationToken)"/> waits for one address before it tries
    /// the next one in parallel (RFC 8305). 250 ms by default.
    /// </summary>
    public TimeSpan ConnectAttemptDelay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The local address that <see cref="IOStream.ConnectAsync(string, int, IOStreamOptions?, CancellationToken)"/> connects from; null for
    /// any.
    /// </summary>
    public IPEndPoint? LocalEndPoint { get; set; }

    /// <summary>
    /// Probes of idle TCP connections, so that a vanished peer is noticed; null, the default, for what the socket has. Does nothing on
    /// other sockets.
    /// </summary>
    public KeepAlive? KeepAlive { get; set; }

    /// <summary>
    /// How long sent data, and probes, may stay unacknowledged on a TCP connection before the system ends it (TCP_USER_TIMEOUT), in
    /// milliseconds, rounded up. It applies to connecting too, and takes precedence over <see cref="KeepAlive.Retries"/>. The stream closes
    /// with <see cref="CloseReason.Reset"/>. Null, the default, means the system's limit, about 15 minutes. Does nothing on other sockets.
    /// </summary>
    public TimeSpan? UserTimeout { get; set; }

    /// <summary>
    /// Called with each socket that the library creates or accepts for a stream with these options: before it is bound and connected, or
    /// when it is accepted; for options that have no property here. Not called for a socket of your own.
    /// </summary>
    /// <remarks>
    /// Set options only, and do not keep the object: it has a descriptor of its own, and is disposed when this returns. Runs on the
    /// stream's loop. An exception fails that connection. Costs a <see cref="Socket"/> object, and four system calls, for each connection.
    /// </remarks>
    public Action<Socket>? ConfigureSocket { get; set; }

    /// <summary>
    /// The most that may be buffered. The size of an array is a limit too, and one byte beyond the limit shows that it is exceeded.
    /// </summary>
    internal int BufferLimit => Math.Min(MaxBufferSize, Array.MaxLength - 1);

    /// <summary>Reads without a time limit of their own have one.</summary>
    internal bool LimitsReadTime => ReadTimeout is not null || MinimumReadRate is not null;

    /// <summary>Sending has a time limit.</summary>
    internal bool LimitsWriteTime => WriteTimeout is not null || MinimumWriteRate is not null;

    /// <summary>The size of the memory that is rented before it is known how much arrives.</summary>
    internal int ChunkSize => Math.Min(ReadChunkSize, LargestChunk);

    /// <summary>For a stream that its owner closes in any case.</summary>
    internal IOStreamOptions HalfOpenByDefault() => _allowHalfOpen is null ? this with { AllowHalfOpen = true } : this;

    internal void Validate(string parameter)
    {
        OptionCheck.Positive(MaxBufferSize, parameter);
        OptionCheck.Positive(ReadChunkSize, parameter);
        OptionCheck.Positive(MaxWriteBufferSize, parameter);
        OptionCheck.NotNegative(WriteHighWaterMark, parameter);
        if (NewLine is not ("\n" or "\r\n"))
            throw new ArgumentOutOfRangeException(parameter, NewLine, $"{nameof(NewLine)} must be LF or CR LF.");
        OptionCheck.Defined(OnReadLimit, parameter);
        OptionCheck.Positive(ConnectAttemptDelay, parameter);
        OptionCheck.Positive(ConnectTimeout, parameter);
        OptionCheck.Positive(MaxHandshakes, parameter);
        OptionCheck.Positive(HandshakeTimeout, parameter);
        OptionCheck.Positive(ReadTimeout, parameter);
        OptionCheck.Positive(WriteTimeout, parameter);
        KeepAlive?.Validate(parameter);
        if (UserTimeout is { } time && (time <= TimeSpan.Zero || time.TotalMilliseconds > int.MaxValue))
            throw new ArgumentOutOfRangeException(
                parameter, time, $"{nameof(UserTimeout)} must be positive, and at most {int.MaxValue} ms.");
    }
}
