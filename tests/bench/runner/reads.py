"""The rows of reads."""

import contextlib
import functools

import drive
import peers
import servers
import wire
from bench import NO_CACHE
from compare import verdict


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
                        "contentd": functools.partial(ours.run, shape),
                        "echo": functools.partial(echo.run, shape),
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
                "contentd": functools.partial(ours.run, (1, 1), times=True),
                "echo": functools.partial(echo.run, (1, 1), times=True),
            },
        )
        yield verdict(row, what, 1.1, measured, "contentd", "echo", "p50_us", at_least=False)


def cached_and_peers(bench):
    yield from peers.against(
        bench,
        "cached-peers",
        {"go": 8, "rust": 5},
        bench.contentd(),
        lambda server: _wide(bench.same_article(server, bench.large_article)),
    )


def uncached(bench):
    """Every article as likely as any other, with a cache that holds next to none of them."""
    row = "uncached"
    read = functools.partial(bench.pgbench, "read", articles=bench.article_count)
    clients = bench.best_clients(row, "read", read)
    yield from peers.against(
        bench,
        row,
        {"go": 3, "rust": 2},
        bench.contentd(**NO_CACHE),
        lambda server: _wide(bench.load(server)),
        {f"pgbench, one row by key, {clients} clients": (0.5, functools.partial(read, clients))},
    )


def list_comments(bench):
    """The first page of an article that has many."""
    name = bench.popular_article.name
    pages = []  # as the servers list them: all must list the same

    def check(answer):
        pages.append(wire.comments(answer))
        if len(pages[-1]) != 25 or pages[-1] != pages[0]:
            raise drive.WrongAnswer(f"these are not the last 25 comments on {name}: {answer[:300]}")

    def run_of(server):
        method, request = servers.CONTENT + "ListComments", wire.list_comments(name)
        return _wide(drive.SameCall(server, method, request, check))

    yield from peers.against(bench, "list-comments", {"go": 5}, bench.contentd(), run_of)


def _wide(load):
    """What measures with so many calls at once that throughput is at its most."""
    return lambda seconds: load.run(drive.WIDE, seconds)
