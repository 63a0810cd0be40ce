// A server for bench/Kestrel/run.py: TRANSPORT PORT, and the same application on each transport.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Waterspout.Bench.Kestrel;
using Waterspout.Kestrel;

byte[] text = "Hello, World!"u8.ToArray();
byte[] large = new byte[1_000_000];
int port = int.Parse(args[1], null);
using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(options =>
{
    options.ListenLocalhost(port);
    options.ListenLocalhost(port + 1, static listen => listen.Protocols = HttpProtocols.Http2);
    options.ListenLocalhost(port + 2, listen =>
    {
        if (args[0] is "ours" or "pool") listen.UseWaterspoutHttps(certificate);
        else listen.UseHttps(certificate);
    });
});
builder.WebHost.UseKestrelHttpsConfiguration();
_ = args[0] switch
{
    "stock" => builder.WebHost,
    "inline" => builder.WebHost.UseSockets(static options => options.UnsafePreferInlineScheduling = true),
    "ours" or "ontop" => builder.WebHost.UseWaterspout(),
    "pool" => builder.WebHost.UseWaterspout(static options => options.Scheduling = SchedulingMode.ThreadPool),
    _ => throw new ArgumentException("TRANSPORT is stock, inline, ours, ontop (as ours, and Kestrel's own HTTPS) or pool."),
};

await using Backend backend = new();
WebApplication app = builder.Build();
int count = 0;
app.Run(async context =>
{
    HttpResponse response = context.Response;
    switch (context.Request.Path.Value)
    {
        case "/json":
            await response.WriteAsJsonAsync(new { message = "Hello, World!" });
            return;
        case "/large":
            await Send(response, large);
            return;
        case "/timer":
            await Task.Delay(1);
            break;
        case "/block":
            Thread.Sleep(1);
            break;
        case "/rare":
            if (Interlocked.Increment(ref count) % 100 == 0) Thread.Sleep(5);
            break;
        case "/result":
            backend.Ask();
            break;
        case "/starved":
            if (Interlocked.Increment(ref count) % 4 == 0) ThreadPool.QueueUserWorkItem(static _ => Thread.Sleep(2));
            break;
    }

    await Send(response, text);
});
app.Run();

static async Task Send(HttpResponse response, byte[] body)
{
    response.ContentLength = body.Length;
    response.ContentType = "text/plain";
    await response.Body.WriteAsync(body);
}
