"""The rows of writes. After each the database is asked whether it holds what was acknowledged."""

import contextlib

import drive
from bench import PEER_NAMES
from compare import skipped, verdict

# Calls at once for comments: they wait for the disk, so that it takes many to keep it busy.
COMMENTERS = (8, 32)


def _all_on(article):
    return {"first": article.number, "last": article.number}


def comments_spread(bench):
    """Each comment on an article of its own choosing."""
    row = "comments-spread"
    everywhere = {"first": 1, "last": bench.article_count}
    bench.settle()
    clients = bench.best_clients(row, "insert", **everywhere)
    what = f"pgbench bare insert, {clients} clients"
    with bench.contentd() as server:
        load = bench.load(server)
        measured = bench.interleave(
            row,
            what,
            {
                "contentd": lambda: load.run(COMMENTERS, bench.seconds, comments=1),
                "pgbench": lambda: bench.pgbench("insert", clients, **everywhere),
            },
        )
    bench.check_comments()
    yield verdict(row, what, 1.5, measured, "contentd", "pgbench")


def comments_on_one_article(bench):
    row = "comments-one-article"
    article = bench.median_article
    file = bench.file_of(article)
    bench.settle()
    clients = bench.best_clients(row, "insert_and_count", **_all_on(article))
    with contextlib.ExitStack() as running:
        load = bench.load(running.enter_context(bench.contentd()), file)
        runs = {
            "contentd": lambda: load.run(COMMENTERS, bench.seconds, comments=1),
            "pgbench": lambda: bench.pgbench("insert_and_count", clients, **_all_on(article)),
        }
        if "go" in bench.peers:
            go = bench.load(running.enter_context(bench.peer("go")), file)
            runs["go"] = lambda: go.run(COMMENTERS, bench.seconds, comments=1)
        measured = bench.interleave(row, "8x32", runs)
    bench.check_comments()
    yield verdict(
        row, f"pgbench insert + counter, {clients} clients", 10, measured, "contentd", "pgbench"
    )
    if "go" in runs:
        yield verdict(row, PEER_NAMES["go"], 10, measured, "contentd", "go")
    else:
        yield skipped(row, PEER_NAMES["go"], 10, "skipped: it could not be built")


def comment_latency(bench):
    row, what = "comment-latency", "pgbench insert + counter, 1 client: p50"
    everywhere = {"first": 1, "last": bench.article_count}
    bench.settle()
    with bench.contentd() as server:
        load = bench.load(server)
        measured = bench.interleave(
            row,
            what,
            {
                "contentd": lambda: load.run((1, 1), bench.seconds, comments=1),
                "pgbench": lambda: bench.pgbench(
                    "insert_and_count", 1, percentile=True, **everywhere
                ),
            },
        )
    bench.check_comments()
    yield verdict(row, what, 1.5, measured, "contentd", "pgbench", "p50_us", at_least=False)


def mix(bench):
    """Reads beside comments, of articles by popularity, at 70 % of the most that the mix does."""
    row = "mix"
    share = 0.05
    bench.settle()
    with bench.contentd() as server:
        load = bench.load(server)
        load.run(drive.WIDE, 3 * bench.seconds, order="zipf")  # fills the cache
        peak = load.run(drive.WIDE, bench.seconds, order="zipf", comments=share).per_second
        rate = 0.7 * peak
        what = f"reads only, {rate:,.0f} calls/s: p99 of reads"
        measured = bench.interleave(
            row,
            what,
            {
                "mix": lambda: load.run(
                    drive.WIDE, 2 * bench.seconds, order="zipf", comments=share, rate=rate
                ),
                "reads": lambda: load.run(drive.WIDE, 2 * bench.seconds, order="zipf", rate=rate),
            },
        )
    bench.check_comments()
    yield verdict(row, what, 1.5, measured, "mix", "reads", "p99_us", at_least=False)
