using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Waterspout.Orleans.Tests;

/// <summary>What is replaced among the services of Orleans, and what is refused.</summary>
public sealed class ServicesTests
{
    [Fact]
    public void A_silo_has_three_services_of_the_transport_and_a_client_one()
    {
        Assert.Equal(3, Register(static host => host.UseOrleans(static silo => silo.UseLocalhostClustering().UseWaterspoutTransport())));
        Assert.Equal(1, Register(static host => host.UseOrleansClient(static client => client.UseLocalhostClustering().UseWaterspoutTransport())));
    }

    [Fact]
    public void A_second_call_sets_more_options_and_replaces_nothing_twice() =>
        Assert.Equal(3, Register(static host => host.UseOrleans(static silo => silo.UseLocalhostClustering().UseWaterspoutTransport().UseWaterspoutTransport(static options => options.LoopCount = 3))));

    [Fact]
    public void Services_of_the_application_with_keys_of_its_own_are_left_alone()
    {
        HostApplicationBuilder host = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        host.Services.AddKeyedSingleton<IConnectionFactory>("mine", static (_, _) => null!);
        ServiceDescriptor mine = host.Services[^1];
        host.UseOrleans(static silo => silo.UseLocalhostClustering().UseWaterspoutTransport());
        Assert.Contains(mine, host.Services);
    }

    [Fact]
    public void A_version_of_Orleans_with_other_services_is_refused_and_nothing_has_changed()
    {
        HostApplicationBuilder host = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        host.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            silo.Services.AddKeyedSingleton<IConnectionListenerFactory>(new object(), static (_, _) => null!);
            ServiceDescriptor[] before = [.. silo.Services];
            NotSupportedException error = Assert.Throws<NotSupportedException>(() => silo.UseWaterspoutTransport());
            Assert.Contains("has registered 1 services to connect and 3 to listen, with 4 keys", error.Message);
            Assert.Equal(before, silo.Services);
        });
    }

    [Fact]
    public void A_container_without_Orleans_own_services_is_refused() =>
        Assert.Throws<NotSupportedException>(static () => new EmptyBuilder().UseWaterspoutTransport());

    [Fact]
    public void Options_are_checked_when_they_are_set()
    {
        OrleansTransportOptions options = new();
        Assert.Contains("LoopCount ", Assert.Throws<ArgumentOutOfRangeException>(() => options.LoopCount = 0).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.LoopCount = 1025);
        Assert.Contains("Stream ", Assert.Throws<ArgumentNullException>(() => options.Stream = null!).Message);
        Assert.Throws<ArgumentNullException>(static () => WaterspoutTransportExtensions.UseWaterspoutTransport((ISiloBuilder)null!));
        Assert.Throws<ArgumentNullException>(static () => WaterspoutTransportExtensions.UseWaterspoutTransport((IClientBuilder)null!));
    }

    [Fact]
    public void The_package_has_no_access_to_internals_of_the_library() =>
        Assert.DoesNotContain(typeof(IOLoop).Assembly.GetCustomAttributes(typeof(System.Runtime.CompilerServices.InternalsVisibleToAttribute), false)
            .Cast<System.Runtime.CompilerServices.InternalsVisibleToAttribute>(), static friend => friend.AssemblyName.StartsWith("Waterspout.Orleans"));

    /// <summary>The number of services with private keys that are ours.</summary>
    private static int Register(Action<HostApplicationBuilder> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        configure(builder);
        ServiceDescriptor[] services = [.. builder.Services.Where(static service => service.IsKeyedService &&
            (service.ServiceType == typeof(IConnectionFactory) || service.ServiceType == typeof(IConnectionListenerFactory)))];
        using IHost host = builder.Build();
        return services.Count(service => host.Services.GetRequiredKeyedService(service.ServiceType, service.ServiceKey) is WaterspoutTransport);
    }

    private sealed class EmptyBuilder : IClientBuilder
    {
        public IServiceCollection Services { get; } = new ServiceCollection();

        public Microsoft.Extensions.Configuration.IConfiguration Configuration => throw new NotSupportedException();
    }
}
