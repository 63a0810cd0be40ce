using Microsoft.AspNetCore.Connections;
using Waterspout.Kestrel;
using Waterspout.Kestrel.Listening;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Waterspout as a transport.</summary>
public static class WaterspoutServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="IConnectionListenerFactory"/>, for Kestrel and for whatever else listens by this interface. It is preferred
    /// to those that were registered before.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Sets options; null for the defaults.</param>
    /// <returns>The same collection.</returns>
    public static IServiceCollection AddWaterspoutTransport(this IServiceCollection services, Action<WaterspoutTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions();
        if (configure is not null) services.Configure(configure);
        return services.AddSingleton<IConnectionListenerFactory, WaterspoutTransportFactory>();
    }
}
