"""Throughput and p99 against the number of calls at once: what the chart shows."""

import contextlib

from bench import NO_CACHE, PEER_NAMES

CALLS_AT_ONCE = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def measure(bench):
    """Records points by panel ("cached", "uncached") and by series; has no verdict. A point is a
    dict of calls, per_second and p99_us."""
    one = bench.file_of(bench.large_article)
    bench.raw["chart"] = {
        "cached": {
            **_series(bench, "contentd", bench.contentd(), one),
            **_series(bench, "raw echo", _echo(bench), one),
            **_peers(bench, one),
        },
        "uncached": {
            **_series(bench, "contentd", bench.contentd(**NO_CACHE), bench.all_articles),
            **_peers(bench, bench.all_articles),
        },
    }
    return ()


def _peers(bench, articles):
    series = {}
    for language in bench.peers:
        series |= _series(bench, PEER_NAMES[language], bench.peer(language), articles)
    return series


@contextlib.contextmanager
def _echo(bench):
    with bench.contentd() as server:
        answer = bench.same_article(server, bench.large_article).answer
    with bench.echo(answer) as server:
        yield server


def _series(bench, name, server, articles):
    seconds = 0.3 if bench.quick else 1.5
    points = []
    with server as running:
        load = bench.load(running, articles)
        load.run((8, 2), seconds)
        for calls in CALLS_AT_ONCE:
            connections = min(calls, 8)
            measured = load.run((connections, calls // connections), seconds, warm_up=0.1)
            points.append(
                {"calls": calls, "per_second": measured.per_second, "p99_us": measured.p99_us}
            )
    return {name: points}
