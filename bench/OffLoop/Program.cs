using System.Net.Sockets;
using Waterspout;
using Waterspout.Bench.OffLoop;

// Code that does not run on a loop, as most code of an async Main does not: ours beside the platform's, in one process, in turns.
// Arguments: the number of rounds, 7 by default, and how the workloads' names begin, for some of them. The peer is a blocking socket on a thread of its own, the same for all.
int rounds = args.Length > 0 ? int.Parse(args[0]) : 7;
Workload[] workloads =
[
    new("lines: a read of a line that is buffered", 100_000,
        ("StreamReader", Lines.StreamReaderAsync), ("PipeReader", Lines.PipeReaderAsync), ("ours, parser", Lines.ParserAsync),
        ("ours, ReadLineAsync", Lines.ReadLineAsync), ("ours, on the loop", Lines.SwitchedAsync)),
    new("shared client: a command of one of 64 callers", 20_000,
        ("PipeReader", socket => SharedClient.RunAsync(PipeLink.Over(new NetworkStream(socket, ownsSocket: true)))),
        ("ours", socket => SharedClient.RunAsync(new StreamLink(socket))),
        ("ours, AsDuplexPipe", socket => SharedClient.RunAsync(PipeLink.Over(Ours(socket).AsDuplexPipe()))),
        ("ours, AsStream", socket => SharedClient.RunAsync(PipeLink.Over(Ours(socket).AsStream()))),
        ("ours, on the loop", SharedClient.SwitchedAsync)),
    new("ping-pong: a line there and back", 5_000,
        ("StreamReader", PingPong.StreamReaderAsync), ("PipeReader", socket => PingPong.RunAsync(PipeLink.Over(new NetworkStream(socket, ownsSocket: true)))),
        ("ours", socket => PingPong.RunAsync(new StreamLink(socket))),
        ("ours, AsDuplexPipe", socket => PingPong.RunAsync(PipeLink.Over(Ours(socket).AsDuplexPipe()))),
        ("ours, AsStream", socket => PingPong.RunAsync(PipeLink.Over(Ours(socket).AsStream()))),
        ("ours, on the loop", PingPong.SwitchedAsync)),
];
string begin = args.Length > 1 ? args[1] : "";
foreach (Workload workload in workloads.Where(workload => workload.Name.StartsWith(begin, StringComparison.Ordinal))) await workload.RunAsync(rounds);

static IOStream Ours(Socket socket) => new(socket, loop: IOLoop.Default);
