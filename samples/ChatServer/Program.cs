using System.CommandLine;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Waterspout;

const int LongestLine = 4096;

Option<int> port = new("--port") { Description = "The TCP port; 0 for any free one.", Required = true };
Option<string?> host = new("--host") { Description = "The address to listen on; all addresses of the machine by default." };
RootCommand command = new("Sends every line to all other clients.") { port, host };
command.SetAction(arguments =>
{
    using IOLoop loop = new();
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    try
    {
        loop.RunSync(async () =>
        {
            TcpServer server = new(new ChatRoom(LongestLine).ServeAsync, new TcpServerOptions { Stream = ChatRoom.StreamOptions });
            Console.WriteLine($"listening on {await server.ListenAsync(arguments.GetValue(port), arguments.GetValue(host))}");
        });
        loop.Start();
        return 0;
    }
    catch (SocketException error)
    {
        Console.Error.WriteLine($"ChatServer: {error.Message}");
        return 1;
    }

    void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true; // exit normally, after the loop has stopped
        loop.Stop();
    }
});
return command.Parse(args).Invoke();
