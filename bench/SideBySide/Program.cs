using System.Globalization;
using Waterspout.Bench.SideBySide;

Options? options = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

Toolchain tools = new();
string folder = options.Results ?? Path.Combine(tools.Root, "bench", "results");
ResultStore store = new(folder);
Report report = new(folder, store);
if (options.ReportOnly)
{
    report.Write();
    return 0;
}

List<Peer> chosen = [.. PeerCatalog.Find(tools).Where(peer => options.Peers?.Contains(peer.Name) ?? (options.Level > Level.Quick || peer.InQuick))];
if (options.Before is { } before) chosen.AddRange(PeerCatalog.Before(before, [.. chosen]));
List<Workload> workloads = [.. WorkloadCatalog.Choose(options)];
if (options.List)
{
    foreach (Workload workload in workloads) Console.WriteLine($"{workload.Name,-22} {workload.Title}");
    foreach (Peer peer in chosen) Console.WriteLine($"{peer.Name,-22} {peer.Description}{(peer.Missing is null ? "" : " (left out: " + peer.Missing + ")")}");
    return 0;
}

if (!tools.CompileLoad() || !Toolchain.Has("taskset") || !Toolchain.Has("prlimit"))
{
    Console.Error.WriteLine("The load generator needs gcc, and taskset and prlimit of util-linux.");
    return 1;
}

string[] leftOut = [.. chosen.Where(peer => peer.Missing is not null).Select(peer => $"{peer.Name}: {peer.Missing}")];
foreach (string peer in leftOut) Console.WriteLine($"left out: {peer}");
if (!SystemCalls.IsPossible) Console.WriteLine("system calls are not counted: there is no strace");
Progress progress = new(workloads.Sum(workload => PeersOf(workload).Count));
Runner runner = new(options, new Load(tools), progress, tools.MakeCertificate());
(string commit, string[] machine) = (Machine.Commit(), Machine.Describe());
foreach (Workload workload in workloads)
{
    List<Peer> peers = PeersOf(workload);
    if (peers.Count == 0) continue;
    progress.Begin($"{workload.Name}: {workload.Title}");
    WorkloadResult result = new()
    {
        Workload = workload.Name,
        Measured = DateTime.UtcNow,
        Commit = commit,
        Machine = machine,
        Rounds = options.Rounds,
        Seconds = Math.Max(options.Seconds, workload.LeastSeconds),
        LeftOut = leftOut,
        Outcomes = runner.Run(workload, peers),
    };
    progress.End(peers.Count);
    store.Save(result);
    // After each workload, so that an interrupted run keeps its results.
    report.Write();
    foreach (Outcome outcome in result.Sorted(workload))
        Console.WriteLine($"  {outcome.Peer,-20} {Format.Value(workload.Measure, outcome.Value(workload).Median),12}  {Format.Title(workload.Measure)}");
    foreach (Verdict verdict in workload.Goals.Select(goal => goal.Check(workload, result)).OfType<Verdict>())
        Console.WriteLine($"  {verdict.Word}: {verdict.Text} (measured {verdict.Measured})");
}

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{progress.Elapsed.TotalMinutes:0.0} minutes; written: {Path.GetRelativePath(".", folder)}/README.md"));
return 0;

List<Peer> PeersOf(Workload workload) =>
    [.. chosen.Where(peer => peer.Missing is null && peer.Runs(workload) && (workload.Peers?.Contains(peer.Before ?? peer.Name) ?? true))];
