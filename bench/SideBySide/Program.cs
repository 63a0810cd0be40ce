using Waterspout.Bench.SideBySide;

Options? options = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

Toolchain tools = new();
List<Peer> all = PeerCatalog.Find(tools);
string[]? names = options.Peers;
if (options.Quick) names ??= ["waterspout", "c-epoll", "socket", "networkstream", "pipereader", "kestrel", "tornado"];
List<Peer> chosen = [.. all.Where(peer => names is null || names.Contains(peer.Name))];
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

foreach (Peer peer in chosen.Where(peer => peer.Missing is not null)) Console.WriteLine($"left out: {peer.Name}: {peer.Missing}");
Report report = new(Path.Combine(tools.Root, "bench", "results"), [.. chosen.Where(peer => peer.Missing is not null)], options);
Runner runner = new(options, new Load(tools), tools.MakeCertificate());
int number = 0;
foreach (Workload workload in workloads)
{
    Console.WriteLine($"{++number} of {workloads.Count}: {workload.Title}");
    List<Peer> peers = [.. chosen.Where(peer => peer.Missing is null && peer.Runs(workload) && (workload.Peers?.Contains(peer.Name) ?? true))];
    if (peers.Count == 0) continue;
    List<Outcome> outcomes = runner.Run(workload, peers);
    report.Add(workload, outcomes);
    foreach (Outcome outcome in outcomes.Where(outcome => outcome.HasResult).OrderBy(outcome => outcome.Value(workload).Median))
        Console.WriteLine($"  {outcome.Peer.Name,-18} {Format.Value(workload.Measure, outcome.Value(workload).Median),12}  {Format.Title(workload.Measure)}");
    foreach (string goal in Report.Goals(workload, outcomes)) Console.WriteLine("  " + goal);
}

Console.WriteLine("written: bench/results/latest.md");
return 0;
