using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Waterspout.Kestrel.Tests;

/// <summary>
/// A web server in a process of its own, whose descriptors, memory and connections can be counted: see ServerProcess in the tests. Its argument
/// is the transport.
/// </summary>
internal static class Program
{
    private static Task Main(string[] arguments) => RunAsync(Enum.Parse<TransportKind>(arguments[0]));

    private static async Task RunAsync(TransportKind transport)
    {
        using X509Certificate2 certificate = Waiting.CreateCertificate();
        using ServerState state = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(state.Watch));
            kestrel.Listen(IPAddress.Loopback, 0, listen => Secure(listen, transport, certificate).Use(state.Watch));
        });
        if (transport == TransportKind.Waterspout) builder.WebHost.UseWaterspout();
        await using WebApplication app = builder.Build();
        Map(app, state);
        await app.StartAsync();
        ICollection<string> addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Console.WriteLine(string.Join(' ', addresses.Select(static address => new Uri(address).Port)));
        // Until the test closes the input, or has ended.
        await Task.Run(Console.In.ReadToEnd);
    }

    private static ListenOptions Secure(ListenOptions listen, TransportKind transport, X509Certificate2 certificate) =>
        transport == TransportKind.Waterspout ? listen.UseWaterspoutHttps(certificate) : listen.UseHttps(certificate);

    private static void Map(WebApplication app, ServerState state)
    {
        app.UseWebSockets();
        app.MapGet("/text", static context => context.SendAsync("<Hello>"));
        app.MapGet("/large", static () => Results.Bytes(new byte[1_000_000]));
        app.MapPost("/hash", static async context =>
            await context.SendAsync("<" + Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted)) + ">"));
        app.MapGet("/wait", state.WaitForAbortAsync);
        app.Map("/echo", Echoes.AnswerAsync);
        app.MapGet("/state", () => state.Count());
    }
}
