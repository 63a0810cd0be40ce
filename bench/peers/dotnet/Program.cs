using Waterspout.Bench.Peers;

// PEER MODE PORT SIZE LOOPS [CERTIFICATE KEY]: a server that prints "ready", answers "heap" on its standard input, and exits at EOF there.
if (args.Length < 5) return 2;
ServerOptions options = ServerOptions.Parse(args);
IServer? server = args[0] switch
{
    "waterspout" => new WaterspoutServer(),
    "waterspout-blocking" => new WaterspoutServer(),
    "waterspout-split" => new WaterspoutSplitServer(),
    "waterspout-pool" => new WaterspoutPoolServer(),
    "waterspout-array" => new WaterspoutArrayServer(),
    "waterspout-tls" => new WaterspoutTlsServer(),
    "socket" => new SocketServer(),
    "streamreader" => new StreamReaderServer(),
    "networkstream" => new NetworkStreamServer(),
    "pipereader" => new PipeReaderServer(),
    "pipereader-line" => new PipeReaderLineServer(),
    "kestrel" => new KestrelServer(isInline: false),
    "kestrel-inline" => new KestrelServer(isInline: true),
    "sslstream" => new NetworkStreamServer(),
    _ => null,
};
if (server is null || !server.Start(options)) return 2;
Console.WriteLine("ready");
while (Console.ReadLine() is { } command)
    if (command == "heap") Console.WriteLine($"heap {MemoryInUse()}");
return 0;

static long MemoryInUse()
{
    for (int i = 0; i < 3; i++)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    return GC.GetTotalMemory(forceFullCollection: true);
}
