using LineService;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A service of lines for clients that have a certificate. Its addresses and limits are in appsettings.json, the environment or the command
// line:   dotnet run -- --Waterspout:Servers:lines:Listen:0=127.0.0.1:8443 --Certificates=/tmp/certificates
HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
string folder = builder.Configuration["Certificates"] ?? Path.Combine(Path.GetTempPath(), "waterspout-line-service");
if (!File.Exists(Path.Combine(folder, "ca.pem"))) TestCertificates.Write(folder);

builder.Services.AddTcpServer<LineHandler>("lines", options =>
{
    options.Listen = ["127.0.0.1:8443"];
    options.Drain = TimeSpan.FromSeconds(5);
    options.Server.Ssl = MutualTls.Load(folder);
    options.Server.Stream = new() { ReadTimeout = TimeSpan.FromMinutes(5), WriteTimeout = TimeSpan.FromSeconds(30) };
});
builder.Services.AddHostedService<Figures>();
builder.Build().Run();
