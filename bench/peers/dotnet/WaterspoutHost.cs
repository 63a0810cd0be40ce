namespace Waterspout.Bench.Peers;

/// <summary>Where our servers listen: on one loop of their own thread, or on several.</summary>
internal static class WaterspoutHost
{
    internal static void Listen(Func<IOStream, Task> handler, ServerOptions options)
    {
        // The peer's end must not close a stream that still has its count to send.
        TcpServerOptions server = new()
        {
            Loops = new IOLoopGroup(options.Loops),
            Stream = new IOStreamOptions { AllowHalfOpen = options.Mode.StartsWith("sink", StringComparison.Ordinal) },
        };
        new TcpServer(handler, server).Listen(options.EndPoint);
    }
}
