using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Waterspout;

namespace Snippets;

/// <summary>Compiled with the tests of Waterspout with YARP.</summary>
internal static class Proxy
{
    internal static void Both(WebApplicationBuilder builder)
    {
        builder.WebHost.UseWaterspout();
        builder.Services.AddReverseProxy()
            .LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"))
            .ConfigureHttpClient(static (_, handler) => handler.UseWaterspout());
    }
}
