#!/usr/bin/env python3
"""Requests per second of the server's CPU time, on Kestrel's own transport and on Waterspout, interleaved.

    bench/Kestrel/run.py [--rounds 6] [--seconds 2] [--cores 1] [--transports stock,ours] [WORKLOAD...]

Each round runs each transport once, in an order that is reversed each time; a ratio is the median of the rounds' ratios to the first transport.
Before the first round each server is loaded until that makes it no faster. Until the JIT has compiled the hot code a second time, HTTP/2 has a
third of the requests; on one core the runtime delays that by a second, and again for all code that is new, which adds up to twenty. So the delay
is set to that of several cores, for all transports. The rounds are kept in bench/results/raw.
Needs wrk and h2load (nghttp2-client), and a Release build of bench/Kestrel.
"""
import os, re, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
import rounds

SERVER = os.path.join(HERE, "../../artifacts/bin/Waterspout.Bench.Kestrel/release/Waterspout.Bench.Kestrel")
PIPELINE = os.path.join(HERE, "pipeline.lua")
WORKLOADS = {
    "plain64": ["wrk", "-c64", "{}/"], "plain8": ["wrk", "-c8", "{}/"], "plain1": ["wrk", "-c1", "{}/"], "plain512": ["wrk", "-c512", "{}/"],
    "json64": ["wrk", "-c64", "{}/json"], "pipelined": ["wrk", "-c64", "-s", PIPELINE, "{}/"], "close": ["wrk", "-c16", "-HConnection: close", "{}/"],
    "large": ["wrk", "-c8", "{}/large"], "timer": ["wrk", "-c64", "{}/timer"], "block": ["wrk", "-c16", "{}/block"], "rare": ["wrk", "-c64", "{}/rare"],
    "result": ["wrk", "-c16", "{}/result"], "starved": ["wrk", "-c64", "{}/starved"],
    "h2": ["h2load", "-c8", "-m32", "{2}/"], "h2json": ["h2load", "-c8", "-m32", "{2}/json"], "h2one": ["h2load", "-c64", "-m1", "{2}/"],
    "https64": ["wrk", "-c64", "{s}/"], "httpslarge": ["wrk", "-c8", "{s}/large"], "https2": ["h2load", "-c8", "-m32", "{s}/"],
}


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
    parser = rounds.arguments(WORKLOADS, seconds=2, transports="stock,ours")
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    transports = options.transports.split(",")
    servers = {}
    try:
        for i, transport in enumerate(transports):
            pin = ["taskset", "-c", "0"] if options.cores == 1 else []
            port = 6100 + 10 * i
            servers[transport] = subprocess.Popen(pin + [SERVER, transport, str(port)], stdout=subprocess.DEVNULL, env=rounds.ENVIRONMENT), port
        time.sleep(1.5)
        for workload in options.workloads:
            for process, port in servers.values():
                rounds.warm_up([process], lambda: load(workload, port, options.seconds, options.cores))
            results = rounds.compare(transports, options.rounds, options.seconds, lambda transport: servers[transport][:1],
                                     lambda transport: load(workload, servers[transport][1], options.seconds, options.cores))
            rounds.report(f"kestrel-{workload}" + ("" if options.cores == 1 else f"-{options.cores}"), workload, "req", results)
    finally:
        for process, _ in servers.values():
            process.terminate()


main()
