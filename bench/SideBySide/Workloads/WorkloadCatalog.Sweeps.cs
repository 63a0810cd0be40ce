using System.Globalization;

namespace Waterspout.Bench.SideBySide;

internal static partial class WorkloadCatalog
{
    // The goal is about messages of at least this length. Below it, most of the cost is per message.
    private const double LongMessage = 64 * 1024;

    private static readonly string[] s_sweepPeers = ["waterspout", "c-epoll", "socket", "kestrel", "go", "tornado"];

    private static IEnumerable<Workload> Connections()
    {
        Sweep sweep = new("connections", "Ping-pong of 64 B lines: server CPU per message, by the number of connections", "connections");
        foreach (int count in (int[])[10, 100, 1000, 10000])
            yield return new Workload($"connections-{count}", string.Create(CultureInfo.InvariantCulture, $"{count:#,0} connections"), "echo", ["pingpong", $"connections={count}"])
            {
                Family = Family.Scaling,
                Sweep = sweep,
                X = count,
                Peers = s_sweepPeers,
                LeastSeconds = count == 10000 ? 1 : 0,
            };
    }

    private static IEnumerable<Workload> Pieces() =>
    [
        .. Pieces("message", "until a delimiter", 4096, ["waterspout", "c-epoll", "pipereader", "tornado"]),
        .. Pieces("exact", "by its length", 4096, ["waterspout", "c-epoll", "pipereader", "tornado"]),
        .. Pieces("regex", "until a regular expression matches", 4096, ["waterspout", "tornado"]),
        .. Pieces("message", "until a delimiter", 1, ["waterspout", "c-epoll", "pipereader", "tornado"]),
        .. Pieces("regex", "until a regular expression matches", 1, ["waterspout", "tornado"]),
    ];

    // 64 MiB a byte at a time would take minutes per message, and show nothing that 1 MiB does not.
    private static IEnumerable<Workload> Pieces(string mode, string title, int piece, string[] peers)
    {
        Sweep sweep = new($"{mode}-{piece}", $"One message, read {title}, arriving in pieces of {Format.Bytes(piece)}: server CPU per byte", "length of the message")
        {
            InBytes = true,
            FlatWithin = 1.5,
            FlatFrom = LongMessage,
        };
        int[] sizes = piece == 1 ? [16, 64, 256, 1024] : [1, 16, 64, 256, 1024, 4096, 16384, 65536];
        foreach (int size in sizes)
        {
            int bytes = size * 1024;
            yield return new Workload($"{mode}-{piece}-{size}k", $"{Format.Bytes(bytes)}, read {title}, in pieces of {Format.Bytes(piece)}", mode, ["pieces", $"bytes={bytes}", $"piece={piece}"])
            {
                Family = Family.Pieces,
                Measure = Measure.CpuPerByte,
                Size = bytes + 1,
                Sweep = sweep,
                X = bytes,
                Peers = peers,
                Level = (piece == 1 ? size == 1024 : size is 256 or 4096) ? Level.Full : Level.Default,
            };
        }
    }
}
