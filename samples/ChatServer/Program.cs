using System.CommandLine;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Waterspout;

const int LongestLine = 4096;

Option<int> port = new("--port") { Description = "The TCP port; 0 for any that is free.", Required = true };
Option<string?> host = new("--host") { Description = "The address to listen on; all of the machine by default." };
RootCommand command = new("Sends every line to everybody else.") { port, host };
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
        context.Cancel = true; // the process ends in its own order
        loop.Stop();
    }
});
return command.Parse(args).Invoke();
