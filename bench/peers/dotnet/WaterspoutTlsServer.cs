namespace Waterspout.Bench.Peers;

/// <summary>Ours over TLS.</summary>
internal sealed class WaterspoutTlsServer : IServer
{
    public bool Start(ServerOptions options)
    {
        Func<IOStream, Task>? handler = options.Mode switch
        {
            "echo" => WaterspoutServer.EchoAsync,
            "sink-bulk" => stream => WaterspoutServer.CountBytesAsync(stream, options.Size),
            "source-bulk" => stream => WaterspoutServer.SendBytesAsync(stream, options.MakePattern()),
            _ => null,
        };
        if (handler is null || options.Tls is null) return false;
        TcpServerOptions server = new()
        {
            Loops = WaterspoutHost.MakeLoops(options),
            Stream = new IOStreamOptions { AllowHalfOpen = options.Mode == "sink-bulk" },
            Ssl = options.Tls,
        };
        new TcpServer(handler, server).Listen(options.EndPoint);
        return true;
    }
}
