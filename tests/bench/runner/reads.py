"""The rows of reads."""

import contextlib
import functools

import drive
import peers
import servers
import wire
from bench import NO_CACHE
from compare import against_baseline, verdict

# Calls at once when there is little to batch.
_FEW_CALLS = (1, 2, 4, 8, 16)


def _shape_text(shape):
    return f"{shape[0]}x{shape[1]}"


def _size_text(answer):
    return f"{len(answer) / 1000:.1f} KB"


@contextlib.contextmanager
def _beside_echo(bench, article):
    """Yields what measures reads of an article, by name: contentd, which has it in its cache, and
    gRPC that sends the same bytes ("echo")."""
    with contextlib.ExitStack() as running:
        contentds = running.enter_context(bench.contentds())
        reads = {name: bench.same_article(server, article) for name, server in contentds.items()}
        echo = running.enter_context(bench.echo(reads["contentd"].answer))
        yield {**reads, "echo": bench.same_article(echo, article)}


def cached_and_echo(bench):
    """Throughput and CPU of a cached article."""
    row = "cached"
    for article in (bench.large_article, bench.median_article):
        with _beside_echo(bench, article) as reads:
            for shape in ((8, 16), (32, 8)):
                load = f"{_size_text(reads['echo'].answer)}, {_shape_text(shape)}"
                what = f"raw echo, {load}"
                runs = {name: functools.partial(one.run, shape) for name, one in reads.items()}
                measured = bench.interleave(row, what, runs)
                yield verdict(row, what, 0.92, measured, "contentd", "echo")
                yield verdict(row, what, 1.12, measured, "contentd", "echo", "cpu_us")
                yield from against_baseline(row, measured, ("per_second", "cpu_us"), load)


def cached_latency(bench):
    """The time of one call at a time for a cached article."""
    row, what = "cached-latency", "raw echo, 1x1"
    with _beside_echo(bench, bench.large_article) as reads:
        runs = {
            name: functools.partial(one.run, (1, 1), times=True) for name, one in reads.items()
        }
        measured = bench.interleave(row, what, runs)
    yield verdict(row, what, 1.1, measured, "contentd", "echo", "p50_us")
    yield from against_baseline(row, measured, ("p50_us", "p99_us"), "1x1")


def cached_and_peers(bench):
    yield from peers.against(
        bench,
        "cached-peers",
        {"go": 8, "rust": 5},
        bench.contentds(),
        lambda server: _wide(bench.same_article(server, bench.large_article)),
    )


def uncached(bench):
    """Every article is equally likely, and the cache holds almost none of them."""
    row = "uncached"
    read = functools.partial(bench.pgbench, "read", articles=bench.article_count)
    clients = bench.best_clients(row, "read", read)
    yield from peers.against(
        bench,
        row,
        {"go": 3, "rust": 2},
        bench.contentds(**NO_CACHE),
        lambda server: _wide(bench.load(server)),
        {f"pgbench, one row by key, {clients} clients": (0.5, functools.partial(read, clients))},
    )


def uncached_latency(bench):
    """The same with few calls at once, made as one client makes them: over one connection."""
    for calls in _FEW_CALLS:
        yield from _few_uncached(bench, (1, calls))


def _few_uncached(bench, shape):
    _, calls = shape
    # More connections than calls would be idle.
    connections = [count for count in (1, 2, 4, 8, 16) if calls // 4 <= count <= calls]
    yield from peers.against_the_better(
        bench,
        "uncached-latency",
        1.1,
        bench.contentds(**NO_CACHE),
        lambda server: functools.partial(bench.load(server).run, shape),
        connections,
        _shape_text(shape),
    )


def list_comments(bench):
    """The first page of an article with many comments."""
    name = bench.popular_article.name
    pages = []  # every page that was checked; all must be equal

    def check(answer):
        pages.append(wire.comments(answer))
        if len(pages[-1]) != 25 or pages[-1] != pages[0]:
            raise drive.WrongAnswer(f"not the newest 25 comments on {name}: {answer[:300]}")

    def run_of(server):
        method, request = servers.CONTENT + "ListComments", wire.list_comments(name)
        return _wide(drive.SameCall(server, method, request, check))

    yield from peers.against(bench, "list-comments", {"go": 5}, bench.contentds(), run_of)


def _wide(load):
    """Returns a function that measures `load` with enough calls at once for the highest
    throughput."""
    return lambda seconds: load.run(drive.WIDE, seconds)
