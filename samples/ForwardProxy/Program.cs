using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using ForwardProxy;
using Waterspout;

Option<int> port = new("--port") { Description = "The TCP port; 0 for any free one.", DefaultValueFactory = _ => 8080 };
Option<string> host = new("--host") { Description = "The address to listen on.", DefaultValueFactory = _ => "127.0.0.1" };
Option<int> perClient = new("--per-client") { Description = "The most connections of one address.", DefaultValueFactory = _ => 100 };
RootCommand command = new("An HTTP proxy that opens tunnels (CONNECT), as browsers and curl use for https.") { port, host, perClient };
command.SetAction(async (arguments, cancelled) =>
{
    AddressLimit limit = new(arguments.GetValue(perClient));
    await using TcpServer server = new(Tunnel.ServeAsync, new TcpServerOptions
    {
        Stream = new IOStreamOptions { AllowHalfOpen = true, NewLine = "\r\n" },
        OnConnection = limit.Begin,
        OnConnectionEnd = limit.End,
    });
    Console.WriteLine($"listening on {server.Listen(arguments.GetValue(port), arguments.GetValue(host))}");
    await WaitForSignalAsync();
    await server.StopAsync(drain: TimeSpan.FromSeconds(5), cancelled);
    return 0;
});
return await command.Parse(args).InvokeAsync();

static async Task WaitForSignalAsync()
{
    TaskCompletionSource signalled = new();
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    await signalled.Task;

    void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true; // exit normally, after the server has stopped
        signalled.TrySetResult();
    }
}

/// <summary>How many connections each address has. The calls come from one loop.</summary>
internal sealed class AddressLimit(int most)
{
    private readonly Dictionary<IPAddress, int> _connections = [];

    internal bool Begin(ConnectionRequest request)
    {
        IPAddress address = ((IPEndPoint)request.RemoteEndPoint!).Address;
        int count = _connections.GetValueOrDefault(address);
        if (count >= most) return false;
        _connections[address] = count + 1;
        return true;
    }

    internal void End(ConnectionRequest request)
    {
        IPAddress address = ((IPEndPoint)request.RemoteEndPoint!).Address;
        if (--_connections[address] == 0) _connections.Remove(address);
    }
}
