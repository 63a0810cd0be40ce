using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Kestrel.Tests;

/// <summary>The server in a process of its own: tests/Waterspout.Kestrel.Server.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _client;
    private readonly int[] _ports;

    private ServerProcess(Process process, int[] ports)
    {
        _process = process;
        _ports = ports;
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}"), Timeout = Waiting.Limit };
    }

    /// <summary>Built together with these tests: artifacts/bin/PROJECT/CONFIGURATION/.</summary>
    private static string Program => AppContext.BaseDirectory.Replace("Waterspout.Kestrel.Tests", "Waterspout.Kestrel.Server") + "Waterspout.Kestrel.Server";

    internal int Id => _process.Id;

    internal static async Task<ServerProcess> StartAsync(TransportKind transport)
    {
        // Without the runtime's threads for diagnostics and for compiling again, which crash when no descriptor is free.
        ProcessStartInfo info = new(Program, [transport.ToString()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_EnableDiagnostics"] = "0", ["DOTNET_TieredCompilation"] = "0", ["DOTNET_EnableWriteXorExecute"] = "0", ["DOTNET_GCgen0size"] = "4000000" },
        };
        Process process = Process.Start(info)!;
        string line = await process.StandardOutput.ReadLineAsync().InTime() ?? throw new InvalidOperationException("The server has not started.");
        return new ServerProcess(process, [.. line.Split(' ').Select(int.Parse)]);
    }

    /// <summary>What the server has now. Its connection for this is closed again, and so not among what is counted later.</summary>
    internal async Task<ServerCounts> CountAsync()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/state") { Headers = { ConnectionClose = true } };
        using HttpResponseMessage response = await _client.SendAsync(request);
        return (await response.Content.ReadFromJsonAsync<ServerCounts>())!;
    }

    /// <summary>Waits until only the connection that asks is left.</summary>
    internal async Task<ServerCounts> WhenIdleAsync(int descriptors = int.MaxValue)
    {
        using CancellationTokenSource limit = new(Waiting.Limit);
        while (true)
        {
            ServerCounts counts = await CountAsync();
            if (counts is { Open: 1, Requests: 1, Waiting: 0 } && counts.Closed == counts.Begun - 1 && counts.Descriptors <= descriptors) return counts;
            if (limit.IsCancellationRequested) Assert.Fail($"Something is left: {counts}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    internal async Task<Socket> ConnectAsync(bool isSecure = false)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _ports[isSecure ? 1 : 0]));
        return socket;
    }

    /// <summary>Asks for a short answer, and waits for it.</summary>
    internal static async Task AskAsync(Socket client)
    {
        await client.SendAsync("GET /text HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        byte[] buffer = new byte[1000];
        string answer = "";
        while (!answer.EndsWith("<Hello>", StringComparison.Ordinal))
        {
            int count = await client.ReceiveAsync(buffer).InTime();
            Assert.NotEqual(0, count);
            answer += Encoding.ASCII.GetString(buffer, 0, count);
        }
    }

    /// <summary>Does what the client of a secure port does first.</summary>
    internal static async Task<Stream> OpenAsync(Socket socket, bool isSecure)
    {
        NetworkStream plain = new(socket, ownsSocket: true);
        if (!isSecure) return plain;
        SslStream secure = new(plain, leaveInnerStreamOpen: false, Waiting.IsOurs);
        await secure.AuthenticateAsClientAsync("localhost");
        return secure;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().InTime();
            Assert.Equal(0, _process.ExitCode);
        }
        finally
        {
            if (!_process.HasExited) _process.Kill();
            _process.Dispose();
        }
    }
}
