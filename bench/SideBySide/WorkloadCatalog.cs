namespace Waterspout.Bench.SideBySide;

/// <summary>The workloads, in the order in which they are run.</summary>
internal static class WorkloadCatalog
{
    private static IEnumerable<Workload> All => [.. PingPongs(), .. Streams(), .. Tls(), .. Pieces(), .. Others()];

    /// <summary>What the command line asks for: whole names, or parts of names where there is no such name.</summary>
    internal static IEnumerable<Workload> Choose(Options options)
    {
        if (options.Only is not { } only) return All.Where(workload => !options.Quick || workload.InQuick);
        HashSet<string> names = [.. All.Select(workload => workload.Name)];
        return All.Where(workload => only.Any(wanted => names.Contains(wanted) ? workload.Name == wanted : workload.Name.Contains(wanted, StringComparison.Ordinal)));
    }

    private static IEnumerable<Workload> PingPongs()
    {
        yield return new Workload("pingpong-1", "One connection, ping-pong of 64 B lines", "echo", ["pingpong", "connections=1"])
        {
            Measure = Measure.Latency,
            InQuick = true,
            Goals = [.. new[] { "c-epoll", "c-uring", "socket", "socket-inline", "kestrel", "kestrel-inline", "go", "asio", "uvloop", "tornado" }.Select(peer => new Goal(peer, 1))],
        };
        Goal[] goals = [new("c-epoll", 1.15), new("socket", 0.5), new("tornado", 0.33)];
        yield return new Workload("pingpong-64", "64 connections, ping-pong of 64 B lines", "echo", ["pingpong", "connections=64"]) { InQuick = true, Goals = goals };
        yield return new Workload("pingpong-1000", "1000 connections, ping-pong of 64 B lines", "echo", ["pingpong", "connections=1000"]) { Goals = goals };
        yield return new Workload("pipelined", "64 connections, 16 lines of 64 B pipelined", "echo", ["pingpong", "connections=64", "lines=16"])
        {
            InQuick = true,
            Goals = [new("c-epoll", 1 / 0.9), new("kestrel", 1 / 1.8), new("tornado", 1 / 30.0)],
        };
    }

    private static IEnumerable<Workload> Streams()
    {
        yield return new Workload("sink-lines", "One connection, a stream of 64 B lines", "sink-lines", ["sink-lines"])
        {
            InQuick = true,
            Goals = [new("pipereader", 1 / 3.0), new("pipereader-line", 1 / 3.0), new("tornado", 1 / 30.0)],
        };
        foreach (int size in (int[])[16, 64, 1024])
        {
            Goal[] goals = size == 16 ? [] : [new("networkstream", 1), new("c-epoll", 1 / 0.9)];
            yield return new Workload($"sink-bulk-{size}k", $"Bulk receive, buffers of {size} KiB", "sink-bulk", ["sink-bulk"])
            {
                Measure = Measure.CpuPerMebibyte,
                Size = size * 1024,
                InQuick = size == 64,
                Goals = goals,
            };
            yield return new Workload($"source-bulk-{size}k", $"Bulk send, buffers of {size} KiB", "source-bulk", ["source-bulk"])
            {
                Measure = Measure.CpuPerMebibyte,
                Size = size * 1024,
                Goals = goals,
            };
        }
    }

    private static IEnumerable<Workload> Tls()
    {
        yield return new Workload("tls-pingpong-64", "TLS, 64 connections, ping-pong of 64 B lines", "echo", ["pingpong", "connections=64", "tls=1"])
        {
            IsTls = true,
            Goals = [new("sslstream", 1 / 1.5, "waterspout-tls")],
        };
        yield return new Workload("tls-source-1k", "TLS, bulk send in writes of 1 KiB", "source-bulk", ["source-bulk", "tls=1"])
        {
            IsTls = true,
            Measure = Measure.CpuPerMebibyte,
            Size = 1024,
            Goals = [new("sslstream", 1 / 5.0, "waterspout-tls")],
        };
        foreach (string direction in (string[])["source", "sink"])
            yield return new Workload($"tls-{direction}-64k", $"TLS, bulk {(direction == "sink" ? "receive" : "send")}, buffers of 64 KiB", $"{direction}-bulk", [$"{direction}-bulk", "tls=1"])
            {
                IsTls = true,
                Measure = Measure.CpuPerMebibyte,
                Goals = [new("sslstream", 1, "waterspout-tls")],
            };
    }

    // Time per byte has to stay flat as messages grow: the report compares the workloads of one family.
    private static IEnumerable<Workload> Pieces()
    {
        string[] withRegex = ["waterspout", "tornado"];
        foreach ((int piece, int[] sizes) in new[] { (1, new[] { 64, 256, 1024 }), (4096, [64, 1024, 16384, 65536]) })
            foreach (int size in sizes)
                foreach (string mode in (string[])["message", "regex"])
                    yield return new Workload($"{mode}-{piece}-{size}k", $"One message of {size} KiB in pieces of {piece} B, until {(mode == "regex" ? "a regex" : "a delimiter")}",
                        mode, ["pieces", $"bytes={size * 1024}", $"piece={piece}"])
                    {
                        Measure = Measure.CpuPerByte,
                        Peers = mode == "regex" ? withRegex : ["waterspout", "pipereader", "tornado", "c-epoll"],
                    };
    }

    private static IEnumerable<Workload> Others()
    {
        yield return new Workload("connects", "Connect, one line there and back, close", "echo", ["connects", "connections=32"]) { Goals = [new("socket", 1 / 1.5)] };
        yield return new Workload("broadcast", "A line from one to 1000 connections", "broadcast", ["broadcast", "connections=1000"]);
        yield return new Workload("two-loops", "Two loops on two cores, 64 connections, ping-pong (the load is on the same cores)", "echo", ["pingpong", "connections=64", "block=1"])
        {
            Loops = 2,
            Peers = ["waterspout", "c-epoll", "socket", "kestrel", "go"],
        };
        yield return new Workload("idle", "10,000 idle connections", "echo", ["idle", "connections=10000"]) { Measure = Measure.Memory, Size = 0 };
        yield return new Workload("tls-idle", "1,000 idle TLS connections", "echo", ["idle", "connections=1000", "tls=1"])
        {
            Measure = Measure.Memory,
            Size = 0,
            IsTls = true,
            Goals = [new("sslstream", 1, "waterspout-tls")],
        };
    }
}
