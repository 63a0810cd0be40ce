using System.CommandLine;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Waterspout;

const int LongestLine = 1024 * 1024;

Option<int?> port = new("--port") { Description = "The TCP port; 0 for any free one." };
Option<string?> host = new("--host") { Description = "The address to listen on; all addresses of the machine by default." };
Option<string?> unix = new("--unix") { Description = "The path of a Unix socket to listen on." };
Option<bool> systemd = new("--systemd") { Description = "Listen on the sockets that systemd has opened (socket activation)." };
Option<int> loops = new("--loops") { Description = "How many loops share the connections.", DefaultValueFactory = _ => 1 };
Option<string?> cert = new("--tls-cert") { Description = "Use TLS, with this certificate (PEM)." };
Option<string?> key = new("--tls-key") { Description = "The certificate's key (PEM)." };
RootCommand command = new("Sends every line back to its client.") { port, host, unix, systemd, loops, cert, key };
command.Validators.Add(result =>
{
    if (result.GetValue(port) is null && result.GetValue(unix) is null && !result.GetValue(systemd)) result.AddError("Give --port, --unix or --systemd, or several.");
});
loops.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1) result.AddError("--loops must be at least 1.");
});
command.SetAction(arguments =>
{
    // Before the address is announced.
    using ManualResetEventSlim signalled = new();
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    TcpServer server;
    using IOLoopGroup group = new(arguments.GetValue(loops));
    TcpServerOptions options = new() { Loops = group };
    try
    {
        if (arguments.GetValue(cert) is { } file) options.Ssl = LoadCertificate(file, arguments.GetValue(key));
        server = new TcpServer(EchoAsync, options);
        if (arguments.GetValue(port) is { } number) Announce(server.Listen(number, arguments.GetValue(host)));
        if (arguments.GetValue(unix) is { } path) Announce(server.Listen(new UnixDomainSocketEndPoint(path)));
        if (arguments.GetValue(systemd)) foreach (Socket socket in SystemdSockets.Take()) Announce(server.Listen(socket));
    }
    catch (Exception error) when (error is SocketException or ArgumentException or IOException or CryptographicException)
    {
        Console.Error.WriteLine($"EchoServer: {error.Message}");
        return 1;
    }

    signalled.Wait();
    server.StopAsync(drain: TimeSpan.FromSeconds(1)).GetAwaiter().GetResult();
    return 0;

    void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true; // exit normally, after the server has stopped
        signalled.Set();
    }
});
return command.Parse(args).Invoke();

static SslServerAuthenticationOptions LoadCertificate(string certificate, string? key) => new()
{
    ServerCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificate, key), null, offline: true),
};

static void Announce(EndPoint endPoint) => Console.WriteLine($"listening on {endPoint}");

static async Task EchoAsync(IOStream stream, CancellationToken stopping)
{
    try
    {
        while (true)
        {
            byte[] line = await stream.ReadUntilAsync("\n"u8, LongestLine, stopping);
            await stream.WriteAsync(line, CancellationToken.None);
        }
    }
    catch (StreamClosedException end) when (end.Reason == CloseReason.EndOfStream)
    {
        // Data after the last newline.
        await stream.WriteAsync(await stream.ReadUntilCloseAsync(stopping), CancellationToken.None);
    }
}
