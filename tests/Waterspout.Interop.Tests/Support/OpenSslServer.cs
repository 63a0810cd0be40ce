namespace Waterspout.Interop.Tests;

/// <summary>An `openssl s_server` that sends every line back reversed, and ends a connection at the line "CLOSE".</summary>
internal sealed class OpenSslServer : IDisposable
{
    private readonly Child _process;

    private OpenSslServer(Child process, int port) => (_process, Port) = (process, port);

    internal int Port { get; }

    internal static async Task<OpenSslServer> StartAsync(TlsFolder folder, params string[] arguments)
    {
        Child process = Child.Start(
            Tool.Require("openssl"),
            ["s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", folder.ServerCertificate, "-key", folder.ServerKey, "-CAfile", folder.Root, .. arguments]);
        string? line;
        do line = await process.ReadLineAsync();
        while (line is not null && !line.StartsWith("ACCEPT ", StringComparison.Ordinal));
        Assert.NotNull(line);
        return new OpenSslServer(process, int.Parse(line[(line.LastIndexOf(':') + 1)..]));
    }

    public void Dispose() => _process.Dispose();
}
