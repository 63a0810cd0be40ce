namespace Waterspout.Bench.Peers;

/// <summary>Ours, from handlers on the thread pool, like those of ASP.NET: every call is forwarded to the loop.</summary>
internal sealed class WaterspoutPoolServer : IServer
{
    public bool Start(ServerOptions options)
    {
        if (options.Mode != "echo" || options.Tls is not null) return false;
        WaterspoutHost.Listen(stream => Task.Run(() => WaterspoutServer.EchoAsync(stream)), options);
        return true;
    }
}
