using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Waterspout.Bench.SideBySide;

/// <summary>A running peer.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly HashSet<ServerProcess> s_running = [];

    private readonly Process _process;

    // If the suite is terminated, its servers are killed with it.
    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (ServerProcess server in s_running.ToArray()) server.Dispose();
    };

    private ServerProcess(Process process, Peer peer, int port)
    {
        (_process, Peer, Port) = (process, peer, port);
        s_running.Add(this);
    }

    internal Peer Peer { get; }

    internal int Port { get; }

    internal int Id => _process.Id;

    internal bool HasExited => _process.HasExited;

    /// <summary>The resident memory, in bytes.</summary>
    internal long ResidentMemory
    {
        get
        {
            string line = File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan(6, line.Length - 8).Trim(), CultureInfo.InvariantCulture) * 1024;
        }
    }

    /// <summary>Starts a peer and waits until it listens. Null if it does not.</summary>
    internal static ServerProcess? Start(Peer peer, Workload workload, (string Certificate, string Key)? certificate)
    {
        int port = FreePort();
        List<string> arguments = [$"--nofile={Machine.MaxFiles}"];
        if (workload.IsPinned) arguments.AddRange(["taskset", "-c", Machine.ServerCore.ToString(CultureInfo.InvariantCulture)]);
        arguments.AddRange(peer.Command);
        arguments.AddRange([workload.Mode, $"{port}", $"{workload.Size}", $"{workload.Loops}"]);
        if (workload.IsTls && certificate is { } tls) arguments.AddRange([tls.Certificate, tls.Key]);
        // Standard error is passed through.
        ProcessStartInfo start = new("prlimit", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach ((string name, string value) in peer.Environment) start.Environment[name] = value;
        ServerProcess server = new(Process.Start(start)!, peer, port);
        Task<string?> ready = server._process.StandardOutput.ReadLineAsync();
        if (ready.Wait(TimeSpan.FromSeconds(20)) && ready.Result == "ready") return server;
        server.Dispose();
        return null;
    }

    /// <summary>The managed memory in use after a collection, in bytes. Null if the peer has none.</summary>
    internal long? ManagedMemory()
    {
        if (!Peer.TellsHeap) return null;
        _process.StandardInput.WriteLine("heap");
        string? answer = _process.StandardOutput.ReadLine();
        return answer is null ? null : long.Parse(answer.AsSpan("heap ".Length), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        if (!s_running.Remove(this)) return;
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
