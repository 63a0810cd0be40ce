#!/usr/bin/env python3
"""Requests per second of a reverse proxy's CPU time (YARP), on the platform's sockets and on Waterspout, interleaved.

    bench/Proxy/run.py [--rounds 6] [--seconds 2] [--transports stock,ours,inbound] [WORKLOAD...]

The proxies are on one core; the load (wrk) and the server behind the proxies, which is on Kestrel's own transport, are on the other. Each round
runs each transport once, in an order that is reversed each time; a ratio is the median of the rounds' ratios to the first transport. The proxies
are loaded for six seconds before the first round. Needs wrk, and Release builds of bench/Kestrel and bench/Proxy.
"""
import argparse, json, os, re, statistics, subprocess, time

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, "../../artifacts/bin")
SERVER, PROXY = (f"{BIN}/Waterspout.Bench.{name}/release/Waterspout.Bench.{name}" for name in ("Kestrel", "Proxy"))
# As for bench/Kestrel: on one core the runtime delays the second compilation of hot code.
ENVIRONMENT = os.environ | {"DOTNET_TC_DelaySingleProcMultiplier": "1"}
WORKLOADS = {"small64": ["-c64", "/"], "small8": ["-c8", "/"], "small1": ["-c1", "/"], "large8": ["-c8", "/large"]}


def cpu(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(workload, port, seconds):
    connections, path = WORKLOADS[workload]
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-d{seconds}s", "--latency", connections, f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return int(re.search(r"(\d+) requests in", out)[1]), "/".join(re.findall(r"^ +(?:50|99)% +(\S+)", out, re.M))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--transports", default="stock,ours,inbound")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    options = parser.parse_args()
    transports = options.transports.split(",")
    server = subprocess.Popen(["taskset", "-c", "1", SERVER, "stock", "6300"], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    proxies = {}
    try:
        for i, transport in enumerate(transports):
            command = ["taskset", "-c", "0", PROXY, transport, str(6310 + i), "http://127.0.0.1:6300"]
            proxies[transport] = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT), 6310 + i
        time.sleep(2)
        for workload in options.workloads:
            for _, port in proxies.values():
                load(workload, port, 6)
            results = {transport: [] for transport in transports}
            for turn in range(options.rounds):
                for transport in transports if turn % 2 == 0 else reversed(transports):
                    process, port = proxies[transport]
                    before = cpu(process)
                    count, latency = load(workload, port, options.seconds)
                    results[transport].append((count / max(0.01, cpu(process) - before), count / options.seconds, latency))
            report(workload, transports, results)
    finally:
        for process in [server] + [process for process, _ in proxies.values()]:
            process.terminate()


def report(workload, transports, results):
    with open(os.path.join(HERE, f"../results/raw/proxy-{workload}.json"), "w") as file:
        json.dump({t: [{"per_cpu_second": round(r[0]), "per_second": round(r[1]), "latency": r[2]} for r in results[t]] for t in transports}, file, indent=1)
        file.write("\n")
    first = [r[0] for r in results[transports[0]]]
    for transport in transports:
        per_cpu = [r[0] for r in results[transport]]
        ratios = sorted(a / b for a, b in zip(per_cpu, first))
        latency = sorted(r[2] for r in results[transport])[len(ratios) // 2]
        print(f"{workload:8} {transport:8} {statistics.median(per_cpu):8.0f} req/CPU s  x {statistics.median(ratios):.2f} "
              f"[{ratios[0]:.2f}..{ratios[-1]:.2f}]  {statistics.median(r[1] for r in results[transport]):8.0f} req/s  p50/p99 {latency}", flush=True)


main()
