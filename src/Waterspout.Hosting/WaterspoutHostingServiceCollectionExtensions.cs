using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Waterspout;
using Waterspout.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers event loops and servers with an application's services.</summary>
public static class WaterspoutHostingServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="IOLoopGroup"/>, which is created at its first use and disposed with the services. Its log is that of the
    /// application, and the section <c>Waterspout</c> of the configuration overrides its options.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Sets options; null for the defaults. What is wrong with them is reported when the group is created.</param>
    /// <returns>The same collection.</returns>
    /// <remarks>
    /// May be called several times: there is one group, and each call may set options. An <see cref="IOLoopGroup"/> that is registered
    /// before is used instead. <see cref="IOLoop.Default"/> is not affected.
    /// </remarks>
    public static IServiceCollection AddWaterspout(this IServiceCollection services, Action<WaterspoutOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null) services.Configure(configure);
        services.AddOptions();
        services.TryAddSingleton(CreateLoops);
        return services;
    }

    /// <summary>
    /// Registers a server: it listens when the host starts, and stops accepting and lets its connections end when the host stops. Calls
    /// <see cref="AddWaterspout"/>.
    /// </summary>
    /// <typeparam name="THandler">
    /// Handles the connections. Registered as scoped, unless it is registered already; each connection has a scope of its own.
    /// </typeparam>
    /// <param name="services">The services of the application.</param>
    /// <param name="name">
    /// The name in the configuration (<c>Waterspout:Servers:NAME</c>), the key of the <see cref="TcpService"/>, and the name of a health
    /// check, which is healthy while the server listens and its loops answer.
    /// </param>
    /// <param name="configure">Sets options; null for the defaults. What is wrong with them is reported by the start of the host.</param>
    /// <returns>The same collection.</returns>
    /// <exception cref="ArgumentException">The name is empty, or there is a server with that name.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddTcpServer&lt;EchoHandler&gt;("echo", options =>
    /// {
    ///     options.Listen = ["*:8888", "unix:/run/example/echo.sock"];
    ///     options.Drain = TimeSpan.FromSeconds(5);
    ///     options.Server.MaxConnections = 10_000;
    ///     options.Server.Stream = new() { ReadTimeout = TimeSpan.FromMinutes(5), WriteTimeout = TimeSpan.FromSeconds(30) };
    /// });
    /// </code>
    /// </example>
    public static IServiceCollection AddTcpServer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string name, Action<TcpServiceOptions>? configure = null)
        where THandler : class, IStreamHandler
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        services.AddWaterspout();
        if (services.Any(service => service.ServiceType == typeof(TcpService) && name.Equals(service.ServiceKey)))
            throw new ArgumentException($"There is a server named '{name}' already.", nameof(name));
        if (configure is not null) services.Configure(name, configure);
        services.TryAddScoped<THandler>();
        services.AddKeyedSingleton(name, (provider, _) => CreateService<THandler>(provider, name));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<TcpService>(name));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, provider => new TcpServiceHealth(provider.GetRequiredKeyedService<TcpService>(name)), failureStatus: null, tags: ["waterspout"]));
        return services;
    }

    private static IOLoopGroup CreateLoops(IServiceProvider provider)
    {
        WaterspoutOptions options = provider.GetRequiredService<IOptions<WaterspoutOptions>>().Value;
        if (provider.GetService<IConfiguration>() is { } configuration) Settings.Apply(configuration.GetSection(Settings.Section), options);
        if (options.Loop.LoggerFactory == NullLoggerFactory.Instance && provider.GetService<ILoggerFactory>() is { } log) options.Loop.LoggerFactory = log;
        return new IOLoopGroup(options.LoopCount, options.Loop);
    }

    private static TcpService CreateService<THandler>(IServiceProvider provider, string name)
        where THandler : class, IStreamHandler
    {
        TcpServiceOptions options = provider.GetRequiredService<IOptionsMonitor<TcpServiceOptions>>().Get(name);
        if (provider.GetService<IConfiguration>() is { } configuration) Settings.Apply(configuration.GetSection(Settings.SectionOf(name)), options);
        options.Server.Loops ??= provider.GetRequiredService<IOLoopGroup>();
        IServiceScopeFactory scopes = provider.GetRequiredService<IServiceScopeFactory>();
        return new TcpService(name, options, HandleAsync);

        // No ConfigureAwait(false): the handler and what its scope disposes run on the connection's loop.
        async Task HandleAsync(IOStream stream, CancellationToken stopping)
        {
            await using AsyncServiceScope scope = scopes.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(stream, stopping);
        }
    }
}
