// A reverse proxy for bench/Proxy/run.py: TRANSPORT PORT SERVER, where TRANSPORT says which sides are on Waterspout.
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Waterspout;
using Waterspout.Kestrel;
using Yarp.ReverseProxy.Configuration;

(bool inbound, bool outbound) = args[0] switch
{
    "stock" => (false, false),
    "inbound" => (true, false),
    "outbound" => (false, true),
    "ours" or "pool" => (true, true),
    _ => throw new ArgumentException("TRANSPORT is stock, inbound, outbound, ours or pool (ours, with a work item for each request)."),
};
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(options => options.ListenLocalhost(int.Parse(args[1], null), static listen => listen.Protocols = HttpProtocols.Http1));
if (inbound) builder.WebHost.UseWaterspout(options => options.Scheduling = args[0] == "pool" ? SchedulingMode.ThreadPool : SchedulingMode.Auto);
builder.Services.AddReverseProxy()
    .LoadFromMemory(
        [new RouteConfig { RouteId = "all", ClusterId = "server", Match = new RouteMatch { Path = "{**rest}" } }],
        [new ClusterConfig { ClusterId = "server", Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = args[2] } } }])
    .ConfigureHttpClient((_, handler) =>
    {
        if (outbound) handler.UseWaterspout();
    });

WebApplication app = builder.Build();
app.MapReverseProxy();
app.Run();
