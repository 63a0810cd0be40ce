namespace Waterspout.Bench.SideBySide;

internal static partial class WorkloadCatalog
{
    private static readonly string[] s_restPeers = ["waterspout", "waterspout-blocking", "c-epoll", "socket", "kestrel", "go", "tornado"];

    private static IEnumerable<Workload> Idle()
    {
        yield return new Workload("idle-10000", "Memory of 10,000 idle connections", "echo", ["idle", "connections=10000"])
        {
            Family = Family.Idle,
            Measure = Measure.Memory,
            Size = 0,
            Goals = [new(0.6 * 1024) { OfManagedMemory = true }],
        };
        yield return new Workload("tls-idle-10000", "Memory of 10,000 idle TLS connections", "echo", ["idle", "connections=10000", "tls=1"])
        {
            Family = Family.Idle,
            Measure = Measure.Memory,
            Size = 0,
            IsTls = true,
            Goals = [new(1, "sslstream", "waterspout-tls")],
        };
        yield return Rest("rest-0", "CPU of a server without connections", "connections=0");
        yield return Rest("rest-1000", "CPU of a server with 1,000 idle connections", "connections=1000");
        yield return Rest("rest-ping", "CPU of a server that gets a line every 10 ms", "connections=1", "every=10") with
        {
            // A wake-up costs something by itself; polling before the sleep must not add to it.
            Goals = [new(1.1, "waterspout-blocking")],
        };
        yield return new Workload("neighbours", "Work that two programs lose to one busy ping-pong", "echo", ["pingpong", "connections=1", "block=1", "burn=1"])
        {
            Family = Family.Idle,
            Measure = Measure.LostWork,
            Peers = s_restPeers,
            LeastSeconds = 1,
            Goals = [new(1.1, "waterspout-blocking")],
        };
    }

    private static Workload Rest(string name, string title, params string[] load) => new(name, title, "echo", ["rest", .. load])
    {
        Family = Family.Idle,
        Measure = Measure.IdleCpu,
        Peers = s_restPeers,
        Goals = [new(0.01)],
        LeastSeconds = 1,
    };
}
