#!/usr/bin/env python3
"""Calls of Orleans grains per second of the silos' CPU time, on Orleans' own transport and on Waterspout, interleaved.

    bench/Orleans/run.py [--rounds 6] [--seconds 3] [--transports stock,ours | stock-tls,ours-tls] [WORKLOAD...]

For each transport there are two silos, on one core, and a client on the other. Half of the calls cross both silos. Each round runs each transport
once, in an order that is reversed each time; a ratio is the median of the rounds' ratios to the first transport. Before the first round each
cluster is called for eight seconds. Needs a Release build of bench/Orleans.
"""
import argparse, json, os, statistics, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "../../artifacts/bin/Waterspout.Bench.Orleans/release/Waterspout.Bench.Orleans")
# As for bench/Kestrel: on one core the runtime delays the second compilation of hot code.
ENVIRONMENT = os.environ | {"DOTNET_TC_DelaySingleProcMultiplier": "1"}
WORKLOADS = {"calls64": "64 100", "calls1": "1 100", "large8": "8 100000"}


def cpu(processes):
    total = 0
    for process in processes:
        fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def start(core, *arguments):
    return subprocess.Popen(["taskset", "-c", str(core), PROGRAM, *map(str, arguments)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def call(client, seconds, workload):
    client.stdin.write(f"{seconds} {WORKLOADS[workload]}\n")
    client.stdin.flush()
    return int(client.stdout.readline())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--transports", default="stock,ours")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    options = parser.parse_args()
    transports = options.transports.split(",")
    clusters = {}
    try:
        for i, transport in enumerate(transports):
            port = 6400 + 20 * i
            silos = [start(0, "silo", transport, port, number) for number in (0, 1)]
            clusters[transport] = silos, start(1, "client", transport, port)
        for _, client in clusters.values():
            client.stdout.readline()
        for workload in options.workloads:
            for _, client in clusters.values():
                call(client, 8, workload)
            results = {transport: [] for transport in transports}
            for turn in range(options.rounds):
                for transport in transports if turn % 2 == 0 else reversed(transports):
                    silos, client = clusters[transport]
                    before = cpu(silos)
                    count = call(client, options.seconds, workload)
                    results[transport].append((count / max(0.01, cpu(silos) - before), count / options.seconds))
            report(workload, transports, results)
    finally:
        for silos, client in clusters.values():
            for process in [client, *silos]:
                process.terminate()


def report(workload, transports, results):
    name = f"orleans-{workload}" + ("-tls" if transports[0].endswith("-tls") else "")
    with open(os.path.join(HERE, f"../results/raw/{name}.json"), "w") as file:
        json.dump({t: [{"per_cpu_second": round(r[0]), "per_second": round(r[1])} for r in results[t]] for t in transports}, file, indent=1)
        file.write("\n")
    first = [r[0] for r in results[transports[0]]]
    for transport in transports:
        per_cpu = [r[0] for r in results[transport]]
        ratios = sorted(a / b for a, b in zip(per_cpu, first))
        print(f"{workload:8} {transport:10} {statistics.median(per_cpu):8.0f} calls/CPU s  x {statistics.median(ratios):.2f} "
              f"[{ratios[0]:.2f}..{ratios[-1]:.2f}]  {statistics.median(r[1] for r in results[transport]):8.0f} calls/s", flush=True)


main()
