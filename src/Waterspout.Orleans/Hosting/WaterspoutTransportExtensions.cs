using Microsoft.Extensions.DependencyInjection;
using Waterspout.Orleans;

namespace Orleans.Hosting;

/// <summary>Puts Orleans on Waterspout.</summary>
public static class WaterspoutTransportExtensions
{
    /// <summary>Has a silo run its connections, to other silos and from clients, on Waterspout's event loops.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configure">Sets options; null for the defaults. Values are checked when they are set, as the silo starts.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// It replaces services that Orleans registers with keys of its own, and takes the place of Orleans' transport alone: Orleans' TLS
    /// (<c>UseTls</c>) works on top, before or after this call. The other silos and the clients may use any transport. A second call sets
    /// more options.
    /// </remarks>
    /// <exception cref="NotSupportedException">
    /// This version of Orleans registers other services than the package replaces. Nothing has been changed.
    /// </exception>
    public static ISiloBuilder UseWaterspoutTransport(this ISiloBuilder builder, Action<OrleansTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // Clients of the silo, and other silos, are listened for at an address each.
        Use(builder.Services, configure, listeners: 2);
        return builder;
    }

    /// <summary>Has a client run its connections to the silos on Waterspout's event loops.</summary>
    /// <param name="builder">The client.</param>
    /// <param name="configure">Sets options; null for the defaults. Values are checked when they are set, as the client starts.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>As for a silo.</remarks>
    /// <inheritdoc cref="UseWaterspoutTransport(ISiloBuilder, Action{OrleansTransportOptions}?)" path="/exception"/>
    public static IClientBuilder UseWaterspoutTransport(this IClientBuilder builder, Action<OrleansTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Use(builder.Services, configure, listeners: 0);
        return builder;
    }

    private static void Use(IServiceCollection services, Action<OrleansTransportOptions>? configure, int listeners)
    {
        TransportServices.Replace(services, listeners);
        services.AddOptions();
        if (configure is not null) services.Configure(configure);
    }
}
