namespace Waterspout.Bench.SideBySide;

/// <summary>The workloads, in the order in which they are run.</summary>
internal static partial class WorkloadCatalog
{
    private static IReadOnlyList<Workload>? s_all;

    // Created at the first use, not by a field initializer: the fields of the other parts of this class may be initialized later.
    internal static IReadOnlyList<Workload> All => s_all ??=
    [
        .. PingPongs(), .. Pipelined(), .. Lines(), .. Bulk(), .. Tls(), .. Connects(), .. Broadcast(), .. Loops(),
        .. Idle(), .. OffLoop(), .. Pieces(), .. Connections(),
    ];

    /// <summary>What the command line selects: names of workloads or families, or parts of names if there is no such name.</summary>
    internal static IEnumerable<Workload> Choose(Options options)
    {
        if (options.Only is not { } only) return All.Where(workload => workload.Level <= options.Level);
        HashSet<string> names = [.. All.Select(workload => workload.Name), .. All.Select(workload => workload.Family.Slug())];
        return All.Where(workload => only.Any(wanted => names.Contains(wanted)
            ? workload.Name == wanted || workload.Family.Slug() == wanted
            : workload.Name.Contains(wanted, StringComparison.Ordinal)));
    }

    private static IEnumerable<Workload> PingPongs()
    {
        string[] faster = ["c-epoll", "c-uring", "socket", "socket-inline", "kestrel", "kestrel-inline", "go", "asio", "uvloop", "tornado"];
        yield return new Workload("pingpong-1", "One connection, ping-pong of 64 B lines", "echo", ["pingpong", "connections=1"])
        {
            Family = Family.PingPong,
            Measure = Measure.Latency,
            Level = Level.Quick,
            Goals = [.. faster.Select(peer => new Goal(1, peer))],
        };
        Goal[] goals = [new(1.15, "c-epoll"), new(0.5, "socket"), new(0.33, "tornado")];
        foreach (int count in (int[])[64, 1000])
            yield return new Workload($"pingpong-{count}", $"{count} connections, ping-pong of 64 B lines", "echo", ["pingpong", $"connections={count}"])
            {
                Family = Family.PingPong,
                Level = count == 64 ? Level.Quick : Level.Default,
                Goals = goals,
            };
    }

    private static IEnumerable<Workload> Pipelined()
    {
        yield return new Workload("pipelined", "64 connections, 16 lines of 64 B at once", "echo", ["pingpong", "connections=64", "lines=16"])
        {
            Family = Family.Pipelined,
            Level = Level.Quick,
            Goals = [new(1 / 0.9, "c-epoll"), new(1 / 1.8, "kestrel"), new(1 / 30.0, "tornado")],
        };
    }

    private static IEnumerable<Workload> Lines()
    {
        yield return new Workload("sink-lines", "One connection, a stream of 64 B lines", "sink-lines", ["sink-lines"])
        {
            Family = Family.Lines,
            Level = Level.Quick,
            Goals = [new(1 / 3.0, "pipereader"), new(1 / 3.0, "pipereader", "waterspout-split"), new(1 / 3.0, "pipereader-line"), new(1 / 30.0, "tornado")],
        };
    }

    private static IEnumerable<Workload> Bulk()
    {
        foreach (int size in (int[])[16, 64, 1024])
        {
            Goal[] goals = size == 16 ? [] : [new(1, "networkstream"), new(1 / 0.9, "c-epoll")];
            Workload sink = new($"sink-bulk-{size}k", $"Bulk receive, buffers of {size} KiB", "sink-bulk", ["sink-bulk"])
            {
                Family = Family.Bulk,
                Measure = Measure.CpuPerMebibyte,
                Size = size * 1024,
            };
            yield return sink with { Level = size == 64 ? Level.Quick : Level.Default, Goals = goals };
            yield return sink with { Name = $"source-bulk-{size}k", Title = $"Bulk send, buffers of {size} KiB", Mode = "source-bulk", Load = ["source-bulk"] };
        }
    }

    private static IEnumerable<Workload> Tls()
    {
        yield return new Workload("tls-pingpong-64", "TLS, 64 connections, ping-pong of 64 B lines", "echo", ["pingpong", "connections=64", "tls=1"])
        {
            Family = Family.Tls,
            IsTls = true,
            Level = Level.Quick,
            Goals = [new(1.19, "c-openssl", "waterspout-tls"), new(1 / 1.5, "sslstream", "waterspout-tls")],
        };
        // All handshakes are full ones: the load keeps no session.
        Workload connects = new("tls-connects", "TLS handshake, one line there and back, close", "echo", ["connects", "connections=32", "tls=1"])
        {
            Family = Family.Tls,
            IsTls = true,
            Goals = [new(1.5, "c-openssl", "waterspout-tls")],
        };
        yield return connects;
        yield return connects with { Name = "tls12-connects", Title = "TLS 1.2 handshake, one line there and back, close", Load = ["connects", "connections=32", "tls=12"] };
        foreach ((string mode, int size) in new[] { ("source", 1), ("source", 16), ("sink", 16), ("source", 64), ("sink", 64), ("source", 1024), ("sink", 1024) })
            yield return new Workload($"tls-{mode}-{size}k", $"TLS, bulk {(mode == "sink" ? "receive, buffers" : "send, writes")} of {size} KiB", $"{mode}-bulk", [$"{mode}-bulk", "tls=1"])
            {
                Family = Family.Tls,
                IsTls = true,
                Measure = Measure.CpuPerMebibyte,
                Size = size * 1024,
                Goals = [new(size == 1 ? 1 / 5.0 : 1, "sslstream", "waterspout-tls")],
            };
    }

    private static IEnumerable<Workload> Connects()
    {
        yield return new Workload("connects", "Connect, one line there and back, close", "echo", ["connects", "connections=32"])
        {
            Family = Family.Connects,
            Goals = [new(1 / 1.5, "socket")],
        };
    }

    private static IEnumerable<Workload> Broadcast()
    {
        yield return new Workload("broadcast", "A line from one to 1000 connections", "broadcast", ["broadcast", "connections=1000"]) { Family = Family.Broadcast };
    }

    private static IEnumerable<Workload> Loops()
    {
        yield return new Workload("two-loops", "Two loops on two cores, 64 connections, ping-pong", "echo", ["pingpong", "connections=64", "block=1"])
        {
            Family = Family.Loops,
            Loops = 2,
            Peers = ["waterspout", "c-epoll", "socket", "kestrel", "go"],
        };
    }

    private static IEnumerable<Workload> OffLoop()
    {
        foreach (int count in (int[])[1, 64])
            yield return new Workload($"off-loop-{count}", $"Handlers on the thread pool, {(count == 1 ? "one connection" : $"{count} connections")}, ping-pong", "echo", ["pingpong", $"connections={count}"])
            {
                Family = Family.OffLoop,
                Goals = [new(1, "networkstream", "waterspout-pool"), new(1, "streamreader", "waterspout-pool")],
                Peers = ["waterspout", "waterspout-pool", "networkstream", "streamreader", "pipereader", "kestrel"],
            };
    }
}
