#!/usr/bin/env python3
"""Requests per second of the server's CPU time, on Kestrel's own transport and on Waterspout, interleaved.

    bench/Kestrel/run.py [--rounds 6] [--seconds 2] [--cores 1] [--transports stock,ours] [WORKLOAD...]

Each round runs each transport once, in an order that is reversed each time; a ratio is the median of the rounds' ratios to the first transport.
Before the first round each server is loaded for six seconds. Until the JIT has compiled the hot code a second time, HTTP/2 has a third of the
requests; on one core the runtime delays that by a second, and again for all code that is new, which adds up to twenty. So the delay is set to
that of several cores, for all transports. The rounds are kept in bench/results/raw.
Needs wrk and h2load (nghttp2-client), and a Release build of bench/Kestrel.
"""
import argparse, json, os, re, statistics, subprocess, time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(HERE, "../../artifacts/bin/Waterspout.Bench.Kestrel/release/Waterspout.Bench.Kestrel")
PIPELINE = os.path.join(HERE, "pipeline.lua")
WARM_UP = 6
ENVIRONMENT = os.environ | {"DOTNET_TC_DelaySingleProcMultiplier": "1"}
WORKLOADS = {
    "plain64": ["wrk", "-c64", "{}/"], "plain8": ["wrk", "-c8", "{}/"], "plain1": ["wrk", "-c1", "{}/"], "plain512": ["wrk", "-c512", "{}/"],
    "json64": ["wrk", "-c64", "{}/json"], "pipelined": ["wrk", "-c64", "-s", PIPELINE, "{}/"], "close": ["wrk", "-c16", "-HConnection: close", "{}/"],
    "large": ["wrk", "-c8", "{}/large"], "timer": ["wrk", "-c64", "{}/timer"], "block": ["wrk", "-c16", "{}/block"], "rare": ["wrk", "-c64", "{}/rare"],
    "h2": ["h2load", "-c8", "-m32", "{2}/"], "h2json": ["h2load", "-c8", "-m32", "{2}/json"], "h2one": ["h2load", "-c64", "-m1", "{2}/"],
    "https64": ["wrk", "-c64", "{s}/"], "httpslarge": ["wrk", "-c8", "{s}/large"], "https2": ["h2load", "-c8", "-m32", "{s}/"],
}


def cpu(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(workload, port, seconds, cores):
    tool, *rest = WORKLOADS[workload]
    addresses = {"{}": f"http://127.0.0.1:{port}", "{2}": f"http://127.0.0.1:{port + 1}", "{s}": f"https://127.0.0.1:{port + 2}"}
    for name, address in addresses.items():
        rest = [a.replace(name, address) for a in rest]
    command = ["wrk", "-t1", f"-d{seconds}s", "--latency"] if tool == "wrk" else ["h2load", "-D", str(seconds)]
    pin = ["taskset", "-c", "1"] if cores == 1 else []
    out = subprocess.run(pin + command + rest, capture_output=True, text=True).stdout
    found = re.search(r"(\d+) requests in" if tool == "wrk" else r"requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded", out)
    latency = re.findall(r"^ +(?:50|99)% +(\S+)", out, re.M)
    return int(found.group(1)), "/".join(latency)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--transports", default="stock,ours")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    options = parser.parse_args()
    transports = options.transports.split(",")
    servers = {}
    try:
        for i, transport in enumerate(transports):
            pin = ["taskset", "-c", "0"] if options.cores == 1 else []
            port = 6100 + 10 * i
            servers[transport] = subprocess.Popen(pin + [SERVER, transport, str(port)], stdout=subprocess.DEVNULL, env=ENVIRONMENT), port
        time.sleep(1.5)
        for workload in options.workloads:
            for process, port in servers.values():
                load(workload, port, WARM_UP, options.cores)
            results = {transport: [] for transport in transports}
            for turn in range(options.rounds):
                for transport in transports if turn % 2 == 0 else reversed(transports):
                    process, port = servers[transport]
                    before = cpu(process)
                    count, latency = load(workload, port, options.seconds, options.cores)
                    results[transport].append((count / max(0.01, cpu(process) - before), count / options.seconds, latency))
            report(workload, transports, results, options.cores)
    finally:
        for process, _ in servers.values():
            process.terminate()


def report(workload, transports, results, cores):
    name = f"kestrel-{workload}" + ("" if cores == 1 else f"-{cores}")
    with open(os.path.join(HERE, f"../results/raw/{name}.json"), "w") as file:
        json.dump({t: [{"per_cpu_second": round(r[0]), "per_second": round(r[1]), "latency": r[2]} for r in results[t]] for t in transports}, file, indent=1)
        file.write("\n")
    first = [r[0] for r in results[transports[0]]]
    for transport in transports:
        per_cpu = [r[0] for r in results[transport]]
        ratios = sorted(a / b for a, b in zip(per_cpu, first))
        latency = sorted(r[2] for r in results[transport])[len(ratios) // 2]
        print(f"{workload:10} {transport:7} {statistics.median(per_cpu):9.0f} req/CPU s  x {statistics.median(ratios):.2f} "
              f"[{ratios[0]:.2f}..{ratios[-1]:.2f}]  {statistics.median(r[1] for r in results[transport]):8.0f} req/s  p50/p99 {latency}", flush=True)


main()
