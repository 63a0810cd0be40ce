namespace Waterspout.Bench.SideBySide;

/// <summary>All peers, compiled or located.</summary>
internal static class PeerCatalog
{
    // The system's Python: others on the path rarely have its packages.
    private const string Python = "/usr/bin/python3";

    // The runtime optimises a method only some time after methods have stopped being called for the first time. A server that is never idle
    // and has one core did not get there in five seconds: 6 to 7 us a message, against 4.2 after one second with this setting.
    private static readonly (string, string)[] s_tiering = [("DOTNET_TC_CallCountingDelayMs", "0")];

    // With three for TLS. The goals compare with these.
    private static readonly string[] s_quick = ["waterspout", "waterspout-split", "c-epoll", "socket", "networkstream", "pipereader", "kestrel", "tornado", "waterspout-tls", "c-openssl", "sslstream"];

    private static readonly string[] s_plain = ["echo", "sink-lines", "sink-bulk", "source-bulk"];
    private static readonly string[] s_tls = ["echo", "sink-bulk", "source-bulk"];

    internal static List<Peer> Find(Toolchain tools)
    {
        List<Peer> peers =
        [
            DotNet(tools, "waterspout", "ours, zero-copy forms", [.. s_plain, "message", "exact", "regex", "broadcast"]),
            DotNet(tools, "waterspout-split", "ours, SplitAsync, all that has arrived in one go", ["echo", "sink-lines"]),
            DotNet(tools, "waterspout-array", "ours, an array for each line", ["echo", "sink-lines"]),
            DotNet(tools, "waterspout-blocking", "ours, without BusyPoll", ["echo"]),
            DotNet(tools, "waterspout-pool", "ours, handlers on the thread pool", ["echo"]),
            DotNet(tools, "waterspout-tls", "ours, SslIOStream", s_tls) with { IsTls = true },
            C(tools, "c-epoll", "C, epoll, one send a turn", [.. s_plain, "message", "exact", "broadcast"], "gcc", "-pthread"),
            C(tools, "c-uring", "C, io_uring", ["echo"], "gcc, liburing-dev", "-luring"),
            C(tools, "c-openssl", "C, epoll, OpenSSL", ["echo"], "gcc, libssl-dev", "-lssl", "-lcrypto") with { IsTls = true },
            DotNet(tools, "socket", ".NET Socket", [.. s_plain, "broadcast"]),
            Inline(DotNet(tools, "socket", ".NET Socket, completions inline", [.. s_plain, "broadcast"]), "socket-inline"),
            DotNet(tools, "networkstream", "NetworkStream, own buffer", s_tls),
            DotNet(tools, "streamreader", "NetworkStream + StreamReader", ["echo", "sink-lines", "message"]),
            DotNet(tools, "pipereader", "PipeReader on NetworkStream", [.. s_plain, "message", "exact", "broadcast"]),
            DotNet(tools, "pipereader-line", "PipeReader, one await a line", ["sink-lines"]),
            DotNet(tools, "kestrel", "Kestrel ConnectionHandler", [.. s_plain, "message", "broadcast"]),
            Inline(DotNet(tools, "kestrel-inline", "Kestrel, everything inline", [.. s_plain, "message", "broadcast"]), "kestrel-inline"),
            DotNet(tools, "sslstream", "SslStream on NetworkStream", s_tls) with { IsTls = true },
            new Peer("go", "Go, bufio", [Path.Combine(tools.Output, "go")], [.. s_plain, "message", "broadcast"])
            {
                IsCompiled = true,
                Missing = tools.Compile("go", "go", "golang-go", [tools.Source("go", "server.go")]),
            },
            PythonPeer(tools, "tornado", "Tornado", "tornado", ["tornado_server.py"], [.. s_plain, "message", "exact", "regex", "broadcast"]),
            PythonPeer(tools, "asyncio", "asyncio streams", "asyncio", ["asyncio_server.py", "asyncio"], [.. s_plain, "message", "broadcast"]),
            PythonPeer(tools, "uvloop", "uvloop, asyncio streams", "uvloop", ["asyncio_server.py", "uvloop"], [.. s_plain, "message", "broadcast"]),
            new Peer("asio", "Boost.Asio async_read_until", [Path.Combine(tools.Output, "asio")], ["echo", "sink-lines", "sink-bulk", "message"])
            {
                IsCompiled = true,
                Missing = tools.Compile("asio", "g++", "g++, libboost-dev", [tools.Source("asio", "server.cpp")], "-pthread"),
            },
        ];
        return [.. peers.Select(peer => peer with { InQuick = s_quick.Contains(peer.Name) })];
    }

    /// <summary>Our own peers among these, as they were built in another checkout.</summary>
    internal static IEnumerable<Peer> Before(string root, List<Peer> peers) =>
        from peer in peers
        where peer.Name.StartsWith("waterspout", StringComparison.Ordinal)
        let program = Program(root)
        select peer with
        {
            Name = peer.Name + "-before",
            Description = peer.Description + ", before",
            Before = peer.Name,
            Command = ["dotnet", program, peer.Name],
            Missing = File.Exists(program) ? null : "build it with -c Release",
        };

    private static string Program(string root) =>
        Path.Combine(root, "artifacts", "bin", "Waterspout.Bench.Peers", "release", "Waterspout.Bench.Peers.dll");

    private static Peer DotNet(Toolchain tools, string name, string description, string[] modes)
    {
        string program = Program(tools.Root);
        return new Peer(name, description, ["dotnet", program, name], modes)
        {
            Environment = s_tiering,
            TellsHeap = true,
            Missing = File.Exists(program) ? null : "build it with -c Release",
        };
    }

    private static Peer Inline(Peer peer, string name) =>
        peer with { Name = name, Environment = [.. peer.Environment, ("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1")] };

    private static Peer C(Toolchain tools, string name, string description, string[] modes, string needs, params string[] libraries) =>
        new(name, description, [Path.Combine(tools.Output, name)], modes)
        {
            IsCompiled = true,
            Missing = tools.Compile(name, "gcc", needs, [tools.Source(name, "server.c")], libraries),
        };

    private static Peer PythonPeer(Toolchain tools, string name, string description, string module, string[] script, string[] modes)
    {
        bool isThere = Toolchain.TryRun(Python, "-c", $"import {module}") is not null;
        string[] command = [Python, tools.Source("python", script[0]), .. script[1..]];
        return new Peer(name, description, command, modes) { Missing = isThere ? null : $"no Python module {module} (python3-{module})" };
    }
}
