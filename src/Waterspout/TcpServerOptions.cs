namespace Waterspout;

/// <summary>How a <see cref="TcpServer"/> works. Do not change it once it is in use.</summary>
public sealed record TcpServerOptions
{
    /// <summary>The loops that connections are spread over; <see cref="IOLoop.Current"/> alone when null. They stay the caller's.</summary>
    public IOLoopGroup? Loops { get; set; }

    /// <summary>Limits and habits of the streams; the defaults when null.</summary>
    public IOStreamOptions? Stream { get; set; }

    /// <summary>How many connections the system may hold that have not been accepted yet. 1024 by default; the system has a limit of its own.</summary>
    public int Backlog { get; set; } = 1024;

    /// <summary>
    /// Every loop listens by itself (SO_REUSEPORT), and the system spreads the connections. Off by default: the first loop accepts and hands
    /// over in turn, which is more even.
    /// </summary>
    public bool ReusePort { get; set; }
}
