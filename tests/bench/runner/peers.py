"""The servers that people would write instead, each at its best."""

import contextlib

import compare
from compare import Verdict, against_baseline, verdict

NAMES = {"go": "Go peer (grpc-go, pgx)", "rust": "Rust peer (tonic, tokio-postgres)"}

# Numbers of connections to the database that a peer is tried with.
_CONNECTIONS = (4, 8, 16)


@contextlib.contextmanager
def at_its_best(bench, row, language, run_of, connections=_CONNECTIONS, load=""):
    """Runs a peer with whichever of `connections` gives the highest throughput. Yields the server
    and its name for the table.

    `run_of(server)` returns a function that measures the server for a number of seconds. `load`:
    what that function does, if the row measures several loads.
    """
    with contextlib.ExitStack() as running:
        runs = {
            count: run_of(running.enter_context(bench.peer(language, count)))
            for count in connections
        }
        trial = ", ".join(filter(None, (NAMES[language], load)))
        best = bench.best(row, f"{trial} by connections", runs)
    with bench.peer(language, best) as server:
        yield server, f"{NAMES[language]}, {best} connection{'s' if best > 1 else ''}"


def against(bench, row, wanted, contentds, run_of, others=None):
    """Yields verdicts on contentd against each peer in `wanted`, which has the goals by language,
    against `others`, and against the baseline.

    `contentds`: see Bench.contentds. `run_of`: see at_its_best. `others`: by its name for the
    table, the goal (or None) and a function that measures for a number of seconds.
    """
    others = others or {}
    measured, names = _measure(
        bench,
        row,
        wanted,
        contentds,
        run_of,
        others={name: run for name, (_, run) in others.items()},
    )
    for language, goal in wanted.items():
        if language in names:
            yield verdict(row, names[language], goal, measured, "contentd", names[language])
        else:
            yield Verdict(row, NAMES[language], goal, problem="skipped: it could not be built")
    for name, (goal, _) in others.items():
        yield verdict(row, name, goal, measured, "contentd", name)
    yield from against_baseline(row, measured, ("per_second", "cpu_us", "p99_us"))


def against_the_better(bench, row, wanted, contentds, run_of, connections, load):
    """Yields verdicts on contentd against the peer with the higher throughput, and against the
    baseline, under one of the loads that the row measures.

    `wanted`: the goal for throughput. `load`: its name. The others as for at_its_best and against.
    """
    measured, names = _measure(bench, row, NAMES, contentds, run_of, connections, load)
    if names:
        better = max(names.values(), key=lambda name: compare.median(measured[name]))
        for value, goal in (("per_second", wanted), ("p50_us", None)):
            yield verdict(row, f"{load}, {better}", goal, measured, "contentd", better, value)
    else:
        yield Verdict(row, load, wanted, problem="skipped: no peer could be built")
    yield from against_baseline(row, measured, ("per_second", "p50_us", "p99_us"), load)


def _measure(
    bench, row, languages, contentds, run_of, connections=_CONNECTIONS, load="", others=None
):
    """Measures contentd, those peers in `languages` that could be built, and `others` in turn.
    Returns the measurements by name, and the names of the peers by language."""
    names = {}
    with contextlib.ExitStack() as running:
        servers = running.enter_context(contentds)
        runs = {name: run_of(server) for name, server in servers.items()}
        for language in languages:
            if language in bench.peers:
                server, names[language] = running.enter_context(
                    at_its_best(bench, row, language, run_of, connections, load)
                )
                runs[names[language]] = run_of(server)
        runs |= others or {}
        return bench.interleave(row, load or "contentd and others", runs), names
