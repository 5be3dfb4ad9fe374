"""The rows of reads."""

import contextlib

import drive
import servers
import wire
from bench import NO_CACHE, PEER_NAMES
from compare import skipped, verdict


def _shape_text(shape):
    return f"{shape[0]}x{shape[1]}"


def _size_text(answer):
    return f"{len(answer) / 1000:.1f} KB"


def cached_and_echo(bench):
    """Throughput and CPU of a cached article, and of gRPC that sends the same bytes."""
    row = "cached"
    for article in (bench.large_article, bench.median_article):
        with contextlib.ExitStack() as running:
            ours = bench.same_article(running.enter_context(bench.contentd()), article)
            echo = bench.same_article(running.enter_context(bench.echo(ours.answer)), article)
            for shape in ((8, 16), (32, 8)):
                what = f"raw echo, {_size_text(ours.answer)}, {_shape_text(shape)}"
                measured = bench.interleave(
                    row,
                    what,
                    {
                        "contentd": lambda: ours.run(shape, bench.seconds),
                        "echo": lambda: echo.run(shape, bench.seconds),
                    },
                )
                yield verdict(row, what, 0.92, measured, "contentd", "echo")
                yield verdict(
                    row,
                    f"{what}: CPU per call",
                    1.12,
                    measured,
                    "contentd",
                    "echo",
                    "cpu_us",
                    at_least=False,
                )


def cached_latency(bench):
    row, what = "cached-latency", "raw echo, 1x1: p50"
    with contextlib.ExitStack() as running:
        ours = bench.same_article(running.enter_context(bench.contentd()), bench.large_article)
        echo = bench.same_article(
            running.enter_context(bench.echo(ours.answer)), bench.large_article
        )
        measured = bench.interleave(
            row,
            what,
            {
                "contentd": lambda: ours.run((1, 1), bench.seconds, times=True),
                "echo": lambda: echo.run((1, 1), bench.seconds, times=True),
            },
        )
        yield verdict(row, what, 1.1, measured, "contentd", "echo", "p50_us", at_least=False)


def cached_and_peers(bench):
    yield from _against_peers(
        bench,
        "cached-peers",
        {"go": 8, "rust": 5},
        bench.contentd(),
        lambda server: _runs_of(bench.same_article(server, bench.large_article), bench),
    )


def uncached(bench):
    """Every article as likely as any other, with a cache that holds none of them."""
    row = "uncached"
    clients = bench.best_clients(row, "read", articles=bench.article_count)
    yield from _against_peers(
        bench,
        row,
        {"go": 3, "rust": 2},
        bench.contentd(**NO_CACHE),
        lambda server: lambda: bench.load(server).run(drive.WIDE, bench.seconds),
        others={
            "pgbench": (
                f"pgbench, one row by key, {clients} clients",
                0.5,
                lambda: bench.pgbench("read", clients, articles=bench.article_count),
            )
        },
    )


def list_comments(bench):
    """The first page of an article that has many."""
    name = bench.popular_article.name
    names = []  # of the comments that the first server lists; the others must list the same

    def check(answer):
        listed = [wire.fields(comment)[1][0] for comment in wire.fields(answer).get(1, [])]
        names.append(listed)
        if len(listed) != 25 or listed != names[0]:
            raise drive.WrongAnswer(f"these are not the last 25 comments on {name}: {answer[:300]}")

    def run_of(server):
        return _runs_of(
            drive.SameCall(
                server, servers.CONTENT + "ListComments", wire.list_comments(name), check
            ),
            bench,
        )

    yield from _against_peers(bench, "list-comments", {"go": 5}, bench.contentd(), run_of)


def _runs_of(same_call, bench):
    return lambda: same_call.run(drive.WIDE, bench.seconds)


def _against_peers(bench, row, wanted, contentd, run_of, others=None):
    """Compares with the peers in `wanted`, which has the ratio for each, as far as they are here.

    `run_of(server)` gives what is run for a server. `others`: what else to compare with, by a name:
    text, ratio wanted, and what is run.
    """
    others = others or {}
    here = [language for language in wanted if language in bench.peers]
    with contextlib.ExitStack() as running:
        runs = {"contentd": run_of(running.enter_context(contentd))}
        for language in here:
            runs[language] = run_of(running.enter_context(bench.peer(language)))
        for name, (_, _, run) in others.items():
            runs[name] = run
        measured = bench.interleave(row, "8x16", runs)
    for language, ratio in wanted.items():
        if language in here:
            yield verdict(row, PEER_NAMES[language], ratio, measured, "contentd", language)
        else:
            yield skipped(row, PEER_NAMES[language], ratio, "skipped: it could not be built")
    for name, (text, ratio, _) in others.items():
        yield verdict(row, text, ratio, measured, "contentd", name)
