// Silos and a client for bench/Orleans/run.py:
//   silo TRANSPORT PORT NUMBER      one of two silos
//   client TRANSPORT PORT           reads lines of SECONDS CALLERS BYTES, calls that long, and writes the number of answers
// TRANSPORT is stock, ours, stock-tls or ours-tls.
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Connections.Security;
using Waterspout.Bench.Orleans;

bool isOurs = args[1].StartsWith("ours", StringComparison.Ordinal);
bool isSecure = args[1].EndsWith("-tls", StringComparison.Ordinal);
int port = int.Parse(args[2], null);
HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders();
using X509Certificate2 certificate = CreateCertificate();

if (args[0] == "silo")
{
    int number = int.Parse(args[3], null);
    builder.UseOrleans(silo =>
    {
        silo.UseLocalhostClustering(port + number, port + 4 + number, new IPEndPoint(IPAddress.Loopback, port));
        if (isOurs) silo.UseWaterspoutTransport();
        if (isSecure) silo.UseTls(certificate, Trust);
    });
    await builder.Build().RunAsync();
    return;
}

builder.UseOrleansClient(client =>
{
    client.UseLocalhostClustering([port + 4, port + 5]);
    if (isOurs) client.UseWaterspoutTransport();
    if (isSecure) client.UseTls(certificate, Trust);
});
using IHost host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
while (Console.ReadLine() is { } line)
{
    int[] numbers = [.. line.Split(' ').Select(static word => int.Parse(word, null))];
    Console.WriteLine(await CallAsync(host.Services.GetRequiredService<IClusterClient>(), TimeSpan.FromSeconds(numbers[0]), numbers[1], new byte[numbers[2]]));
}

await host.StopAsync();

static async Task<long> CallAsync(IGrainFactory grains, TimeSpan time, int callers, byte[] data)
{
    long begun = Stopwatch.GetTimestamp();
    long[] counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(async caller =>
    {
        IEchoGrain grain = grains.GetGrain<IEchoGrain>(caller);
        long count = 0;
        for (; Stopwatch.GetElapsedTime(begun) < time; count++) await grain.EchoAsync(data);
        return count;
    }));
    return counts.Sum();
}

static void Trust(TlsOptions options)
{
    options.RemoteCertificateMode = RemoteCertificateMode.AllowCertificate;
    options.RemoteCertificateValidation = static (_, _, _) => true;
    options.OnAuthenticateAsClient = static (_, client) => client.TargetHost = "localhost";
}

static X509Certificate2 CreateCertificate()
{
    using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
    return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
}
