namespace Waterspout.Bench.Peers;

/// <summary>Where our servers listen: on one loop of their own thread, or on several.</summary>
internal static class WaterspoutHost
{
    internal static void Listen(Func<IOStream, Task> handler, ServerOptions options)
    {
        // The peer's EOF must not close a stream that still has its count to send.
        TcpServerOptions server = new()
        {
            Loops = MakeLoops(options),
            Stream = new IOStreamOptions { AllowHalfOpen = options.Mode.StartsWith("sink", StringComparison.Ordinal) },
        };
        new TcpServer(handler, server).Listen(options.EndPoint);
    }

    internal static IOLoopGroup MakeLoops(ServerOptions options)
    {
        IOLoopOptions loop = new();
        if (!options.PollsBriefly) loop.BusyPoll = TimeSpan.Zero;
        return new IOLoopGroup(options.Loops, loop);
    }
}
