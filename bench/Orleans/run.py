#!/usr/bin/env python3
"""Calls of Orleans grains per second of the silos' CPU time, on Orleans' own transport and on Waterspout, interleaved.

    bench/Orleans/run.py [--rounds 6] [--seconds 3] [--transports stock,ours | stock-tls,ours-tls] [WORKLOAD...]

For each transport there are two silos, on one core, and a client on the other. Half of the calls cross both silos. Each round runs each transport
once, in an order that is reversed each time; a ratio is the median of the rounds' ratios to the first transport. Before the first round each
cluster is called until that makes it no faster. Needs a Release build of bench/Orleans.
"""
import os, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
import rounds

PROGRAM = os.path.join(HERE, "../../artifacts/bin/Waterspout.Bench.Orleans/release/Waterspout.Bench.Orleans")
WORKLOADS = {"calls64": "64 100", "calls1": "1 100", "large8": "8 100000"}


def start(core, *arguments):
    return subprocess.Popen(["taskset", "-c", str(core), PROGRAM, *map(str, arguments)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=rounds.ENVIRONMENT)


def call(client, seconds, workload):
    client.stdin.write(f"{seconds} {WORKLOADS[workload]}\n")
    client.stdin.flush()
    return [int(client.stdout.readline())]


def main():
    options = rounds.arguments(WORKLOADS, seconds=3, transports="stock,ours").parse_args()
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
            for silos, client in clusters.values():
                rounds.warm_up(silos, lambda: call(client, options.seconds, workload))
            results = rounds.compare(transports, options.rounds, options.seconds, lambda transport: clusters[transport][0],
                                     lambda transport: call(clusters[transport][1], options.seconds, workload))
            rounds.report(f"orleans-{workload}" + ("-tls" if transports[0].endswith("-tls") else ""), workload, "calls", results)
    finally:
        for silos, client in clusters.values():
            for process in [client, *silos]:
                process.terminate()


main()
