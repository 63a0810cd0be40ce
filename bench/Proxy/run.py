#!/usr/bin/env python3
"""Requests per second of a reverse proxy's CPU time (YARP), on the platform's sockets and on Waterspout, interleaved.

    bench/Proxy/run.py [--rounds 6] [--seconds 2] [--transports stock,ours,inbound] [WORKLOAD...]

The proxies are on one core; the load (wrk) and the server behind the proxies, which is on Kestrel's own transport, are on the other. Each round
runs each transport once, in an order that is reversed each time; a ratio is the median of the rounds' ratios to the first transport. Before
the first round each proxy is loaded until that makes it no faster. Needs wrk, and Release builds of bench/Kestrel and bench/Proxy.
"""
import os, re, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
import rounds

BIN = os.path.join(HERE, "../../artifacts/bin")
SERVER, PROXY = (f"{BIN}/Waterspout.Bench.{name}/release/Waterspout.Bench.{name}" for name in ("Kestrel", "Proxy"))
WORKLOADS = {"small64": ["-c64", "/"], "small8": ["-c8", "/"], "small1": ["-c1", "/"], "large8": ["-c8", "/large"]}


def load(workload, port, seconds):
    connections, path = WORKLOADS[workload]
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-d{seconds}s", "--latency", connections, f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return int(re.search(r"(\d+) requests in", out)[1]), "/".join(re.findall(r"^ +(?:50|99)% +(\S+)", out, re.M))


def main():
    options = rounds.arguments(WORKLOADS, seconds=2, transports="stock,ours,inbound").parse_args()
    transports = options.transports.split(",")
    server = subprocess.Popen(["taskset", "-c", "1", SERVER, "stock", "6300"], stdout=subprocess.DEVNULL, env=rounds.ENVIRONMENT)
    proxies = {}
    try:
        for i, transport in enumerate(transports):
            command = ["taskset", "-c", "0", PROXY, transport, str(6310 + i), "http://127.0.0.1:6300"]
            proxies[transport] = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=rounds.ENVIRONMENT), 6310 + i
        time.sleep(2)
        for workload in options.workloads:
            for proxy, port in proxies.values():
                rounds.warm_up([proxy], lambda: load(workload, port, options.seconds))
            results = rounds.compare(transports, options.rounds, options.seconds, lambda transport: proxies[transport][:1],
                                     lambda transport: load(workload, proxies[transport][1], options.seconds))
            rounds.report(f"proxy-{workload}", workload, "req", results)
    finally:
        for process in [server] + [process for process, _ in proxies.values()]:
            process.terminate()


main()
