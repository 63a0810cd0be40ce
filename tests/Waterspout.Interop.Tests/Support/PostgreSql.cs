using System.Net;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>A PostgreSQL of its own, on a Unix socket, without a password.</summary>
internal sealed class PostgreSql : IAsyncDisposable
{
    private const string Account = "postgres";

    // The server does not run as root. There are no links in the path of Debian's programs.
    private static readonly string[] s_prefix = Environment.UserName == "root" ? ["setpriv", $"--reuid={Account}", $"--regid={Account}", "--clear-groups"] : ["env"];

    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-postgres-").FullName;
    private Child? _server;

    internal EndPoint EndPoint => new UnixDomainSocketEndPoint(Path.Combine(_folder, ".s.PGSQL.5432"));

    internal async Task StartAsync()
    {
        string programs = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql", "*").FirstOrDefault() + "/bin" : "";
        if (!File.Exists(programs + "/initdb")) Assert.Skip("PostgreSQL is not installed.");
        if (Environment.UserName == "root") await RunAsync("chown", Account, _folder);
        string data = Path.Combine(_folder, "data");
        await RunAsync(s_prefix[0], [.. s_prefix[1..], $"{programs}/initdb", "-D", data, "-A", "trust", "-U", "test", "--no-sync", "--no-locale", "-E", "UTF8"]);
        _server = Child.Start(
            s_prefix[0], [.. s_prefix[1..], $"{programs}/postgres", "-D", data, "-k", _folder, "-h", "", "-c", "fsync=off", "-c", "dynamic_shared_memory_type=mmap"]);
        string? line;
        do line = await _server.ReadErrorLineAsync();
        while (line is not null && !line.Contains("ready to accept connections", StringComparison.Ordinal));
        Assert.NotNull(line);
    }

    internal async Task<IOStream> ConnectAsync()
    {
        IOStream stream = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        await stream.ConnectAsync(EndPoint);
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.SignalAsync("INT");
            await _server.WaitForExitAsync();
            _server.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        Child.Outcome outcome = await Child.RunAsync(Tool.Require(program), arguments);
        Assert.True(outcome.ExitCode == 0, outcome.Errors);
    }
}
