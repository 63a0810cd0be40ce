using Waterspout.Kestrel;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts Kestrel on Waterspout.</summary>
public static class WaterspoutWebHostBuilderExtensions
{
    /// <summary>
    /// Has Kestrel run its connections on Waterspout's event loops: TCP, Unix sockets and inherited descriptors. Endpoints of other kinds
    /// stay with the transports that are registered for them.
    /// </summary>
    /// <param name="builder">The builder of a host with Kestrel.</param>
    /// <param name="configure">Sets options; null for the defaults. Values are checked when they are set, when the server is built.</param>
    /// <returns>The same builder.</returns>
    public static IWebHostBuilder UseWaterspout(this IWebHostBuilder builder, Action<WaterspoutTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(services => Extensions.DependencyInjection.WaterspoutServiceCollectionExtensions.AddWaterspoutTransport(services, configure));
    }
}
