using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Waterspout.Orleans;

/// <summary>The services by which Orleans connects and listens.</summary>
/// <remarks>
/// Orleans registers them with keys that are private objects, one for each use: to silos, from silos, from clients. So the keys are taken
/// from the registrations. What cannot be named cannot be relied on either: another version may register more, or look for them elsewhere.
/// A number of registrations that is not the known one is therefore an error, and not a silo that listens by two transports.
/// </remarks>
internal static class TransportServices
{
    /// <summary>Puts ours in the place of Orleans', under the same keys.</summary>
    /// <param name="services">With what Orleans has registered.</param>
    /// <param name="listeners">How many addresses are listened on. There is one kind of outgoing connections.</param>
    internal static void Replace(IServiceCollection services, int listeners)
    {
        ServiceDescriptor[] found = [.. services.Where(static service => HasPrivateKey(service) && IsTransport(service.ServiceType))];
        Check(found, listeners);
        services.TryAddSingleton<WaterspoutTransport>();
        foreach (ServiceDescriptor service in found)
        {
            services.Remove(service);
            services.Add(ServiceDescriptor.KeyedSingleton(
                service.ServiceType, service.ServiceKey, static (provider, _) => provider.GetRequiredService<WaterspoutTransport>()));
        }
    }

    private static void Check(ServiceDescriptor[] found, int listeners)
    {
        int connecting = found.Count(static service => service.ServiceType == typeof(IConnectionFactory));
        int listening = found.Length - connecting;
        int keys = found.Select(static service => service.ServiceKey).Distinct().Count();
        if (connecting == 1 && listening == listeners && keys == found.Length) return;
        throw new NotSupportedException(
            $"Orleans {typeof(ISiloBuilder).Assembly.GetName().Version} has registered {connecting} services to connect and {listening} to listen, " +
            $"with {keys} keys. Waterspout.Orleans knows 1 and {listeners}, each with a key of its own, as Orleans 10.4 has them.");
    }

    // Keys of the application are of other types.
    private static bool HasPrivateKey(ServiceDescriptor service) => service is { IsKeyedService: true, ServiceKey: { } key } && key.GetType() == typeof(object);

    private static bool IsTransport(Type type) => type == typeof(IConnectionFactory) || type == typeof(IConnectionListenerFactory);
}
