"""The servers that people would write instead, each shown at its best."""

import contextlib

from compare import skipped, verdict

NAMES = {"go": "Go peer (grpc-go, pgx)", "rust": "Rust peer (tonic, tokio-postgres)"}

# To the database: how many a peer is tried with.
_CONNECTIONS = (4, 8, 16)


@contextlib.contextmanager
def at_its_best(bench, row, language, run_of):
    """The peer and its name for the table; with as many connections as it does the most with.

    `run_of(server)` gives a function that measures the server for so many seconds.
    """
    with contextlib.ExitStack() as running:
        runs = {
            count: run_of(running.enter_context(bench.peer(language, count)))
            for count in _CONNECTIONS
        }
        connections = bench.best(row, f"{NAMES[language]} by connections", runs)
    with bench.peer(language, connections) as server:
        yield server, f"{NAMES[language]}, {connections} connections"


def against(bench, row, wanted, contentd, run_of, others=None):
    """Verdicts on contentd and the peers in `wanted`, which has the ratio for each, as far as they
    are here.

    `run_of`: as for at_its_best. `others`: what else to compare with, by its name for the table: the
    ratio wanted, or None, and a function that measures it for so many seconds.
    """
    absent = [language for language in wanted if language not in bench.peers]
    ratios = {}
    with contextlib.ExitStack() as running:
        runs = {"contentd": run_of(running.enter_context(contentd))}
        for language in wanted:
            if language not in absent:
                server, name = running.enter_context(at_its_best(bench, row, language, run_of))
                ratios[name], runs[name] = wanted[language], run_of(server)
        for name, (ratio, run) in (others or {}).items():
            ratios[name], runs[name] = ratio, run
        measured = bench.interleave(row, "contentd and others", runs)
    for name, ratio in ratios.items():
        yield verdict(row, name, ratio, measured, "contentd", name)
    for language in absent:
        yield skipped(row, NAMES[language], wanted[language], "skipped: it could not be built")
