"""The figures of the chart: throughput and p99 against the number of calls at once."""

import contextlib
import functools

import compare
import peers
from bench import NO_CACHE

_CALLS_AT_ONCE = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def measure(bench):
    """Records points in bench.raw, by panel ("cached", "uncached") and by series; returns no
    verdicts. A point is a dict of calls, per_second and p99_us."""
    any_article, one_article = bench.all_articles, bench.file_of(bench.large_article)

    def read_any(server):
        return functools.partial(bench.load(server, any_article).run, (8, 16))

    with contextlib.ExitStack() as running:

        def start(server):
            return running.enter_context(server)

        contentd = start(bench.contentd())
        echo = start(bench.echo(bench.same_article(contentd, bench.large_article).answer))
        others = {}
        for language in bench.peers:
            server, name = start(peers.at_its_best(bench, "chart-peers", language, read_any))
            others[name] = server
        cached = {"contentd": contentd, "raw echo": echo, **others}
        uncached = {"contentd": start(bench.contentd(**NO_CACHE)), **others}
        bench.raw["chart"] = {
            "cached": _series(bench, cached, one_article),
            "uncached": _series(bench, uncached, any_article),
        }
    return ()


def _series(bench, servers, articles):
    """Returns the medians of several rounds, in which all servers are measured in turn with each
    number of calls at once."""
    rounds, seconds = (1, 0.3) if bench.quick else (3, 0.6)
    runs = {}
    for calls in _CALLS_AT_ONCE:
        connections = min(calls, 8)
        for name, server in servers.items():
            shape = (connections, calls // connections)
            runs[name, calls] = functools.partial(bench.load(server, articles).run, shape)
    measured = compare.interleave(rounds, runs, seconds)
    return {
        name: [
            {
                "calls": calls,
                "per_second": compare.median(measured[name, calls]),
                "p99_us": compare.median(measured[name, calls], "p99_us"),
            }
            for calls in _CALLS_AT_ONCE
        ]
        for name in servers
    }
