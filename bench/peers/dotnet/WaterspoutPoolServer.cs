namespace Waterspout.Bench.Peers;

/// <summary>Ours, from handlers on the thread pool, as those of ASP.NET are: every call is handed to the loop.</summary>
internal sealed class WaterspoutPoolServer : IServer
{
    public bool Start(ServerOptions options)
    {
        if (options.Mode != "echo" || options.Tls is not null) return false;
        WaterspoutHost.Listen(stream => Task.Run(() => WaterspoutServer.EchoAsync(stream)), options);
        return true;
    }
}
