using System.Globalization;
using System.Net;

namespace Waterspout.Interop.Tests;

/// <summary>The EchoServer sample, running and listening on its own port.</summary>
internal sealed class EchoServer : IDisposable
{
    // A debugger's transport reserves a descriptor number that shows no descriptor: it waits in open(2) of a FIFO.
    private static readonly (string, string)[] s_environment = [("DOTNET_EnableDiagnostics", "0")];

    private EchoServer(Child process, string address) => (Process, Port) = (process, IPEndPoint.Parse(address).Port);

    internal Child Process { get; }

    internal int Port { get; }

    /// <summary>The open descriptors. Counts entries rather than files, since one may be inherited and refer to a directory.</summary>
    internal IEnumerable<int> Descriptors => Directory.EnumerateFileSystemEntries($"/proc/{Process.Id}/fd").Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));

    internal static async Task<EchoServer> StartAsync(params string[] arguments)
    {
        Child process = Child.Start(Repository.Sample("EchoServer"), ["--port", "0", "--host", "127.0.0.1", .. arguments], s_environment);
        string? line = await process.ReadLineAsync();
        Assert.StartsWith("listening on ", line);
        return new EchoServer(process, line!["listening on ".Length..]);
    }

    internal async Task<IOStream> ConnectAsync() => await IOStream.ConnectAsync("127.0.0.1", Port);

    public void Dispose() => Process.Dispose();
}
