namespace Waterspout.Interop.Tests;

/// <summary>An `openssl s_server`.</summary>
internal sealed class OpenSslServer : IDisposable
{
    private OpenSslServer(Child process, int port) => (Process, Port) = (process, port);

    internal Child Process { get; }

    internal int Port { get; }

    /// <summary>A server that sends every line back reversed, and closes the connection at the line "CLOSE".</summary>
    internal static Task<OpenSslServer> StartAsync(TlsFolder folder, params string[] arguments) => StartInteractiveAsync(folder, ["-rev", .. arguments]);

    /// <summary>A server that prints what it receives and sends its standard input, except for commands.</summary>
    internal static async Task<OpenSslServer> StartInteractiveAsync(TlsFolder folder, params string[] arguments)
    {
        Child process = Child.Start(
            Tool.Require("openssl"),
            ["s_server", "-accept", "127.0.0.1:0", "-cert", folder.ServerCertificate, "-key", folder.ServerKey, "-CAfile", folder.Root, .. arguments]);
        string? line;
        do line = await process.ReadLineAsync();
        while (line is not null && !line.StartsWith("ACCEPT ", StringComparison.Ordinal));
        Assert.NotNull(line);
        return new OpenSslServer(process, int.Parse(line[(line.LastIndexOf(':') + 1)..]));
    }

    public void Dispose() => Process.Dispose();
}
