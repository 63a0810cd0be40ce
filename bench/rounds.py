"""What bench/Kestrel, bench/Proxy and bench/Orleans have in common: rounds of the same work on each transport, and their report."""
import argparse, json, os, statistics

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results/raw")
# On one core the runtime delays the second compilation of hot code.
ENVIRONMENT = os.environ | {"DOTNET_TC_DelaySingleProcMultiplier": "1"}


def arguments(workloads, seconds, transports):
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=seconds)
    parser.add_argument("--transports", default=transports)
    parser.add_argument("workloads", nargs="*", default=list(workloads))
    return parser


def cpu(*processes):
    """Seconds of CPU time."""
    total = 0
    for process in processes:
        fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def warm_up(processes, load):
    """
    Loads until three loads in a row are no better, by a twentieth, than the best one before. The runtime compiles hot code a second time only
    under load, and how long that takes differs between transports and workloads: 6 to 25 seconds have been seen.
    """
    best = without = 0
    for _ in range(20):
        before = cpu(*processes)
        rate = load()[0] / max(0.01, cpu(*processes) - before)
        without = 0 if rate > 1.05 * best else without + 1
        best = max(best, rate)
        if without == 3:
            return


def compare(transports, rounds, seconds, processes, load):
    """Runs each transport once a round, in an order that is reversed each time. load(transport) returns a count, and a latency if it has one."""
    results = {transport: [] for transport in transports}
    for turn in range(rounds):
        for transport in transports if turn % 2 == 0 else reversed(transports):
            before = cpu(*processes(transport))
            count, *latency = load(transport)
            results[transport].append((count / max(0.01, cpu(*processes(transport)) - before), count / seconds, *latency))
    return results


def report(name, workload, unit, results):
    """Keeps the rounds, and prints for each transport the median, and the median of the rounds' ratios to the first transport."""
    fields = "per_cpu_second", "per_second", "latency"
    with open(os.path.join(RESULTS, f"{name}.json"), "w") as file:
        json.dump({t: [dict(zip(fields, (round(r[0]), round(r[1]), *r[2:]))) for r in rows] for t, rows in results.items()}, file, indent=1)
        file.write("\n")
    first = [r[0] for r in next(iter(results.values()))]
    for transport, rows in results.items():
        ratios = sorted(row[0] / one for row, one in zip(rows, first))
        latency = sorted(row[2] for row in rows if len(row) > 2)
        print(f"{workload:10} {transport:10} {statistics.median(row[0] for row in rows):9.0f} {unit}/CPU s  x {statistics.median(ratios):.2f} "
              f"[{ratios[0]:.2f}..{ratios[-1]:.2f}]  {statistics.median(row[1] for row in rows):8.0f} {unit}/s"
              + (f"  p50/p99 {latency[len(latency) // 2]}" if latency else ""), flush=True)
