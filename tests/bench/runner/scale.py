"""The rows about memory and about the number of articles."""

import contextlib
import functools

import drive
import servers
import wire
from bench import MEDIAN_BYTES, NO_CACHE
from compare import BASELINE, Verdict, against_baseline, verdict

_SHAPE = (1, 4)


def memory(bench):
    """The memory that a cache takes for the articles in it, against their bytes on the wire."""
    count = 5_000 if bench.quick else 40_000
    filled = {name: _fill_cache(bench, name, count) for name in bench.programs.contentds}
    bench.raw["memory"] = filled
    ours = filled["contentd"]
    counted = _megabytes(ours["cache"]["bytes"])
    what = f"bytes on the wire of {count:,} articles; the cache counts {counted}"
    yield _memory_verdict(what, 1.15, ours["taken"], ours["bytes_on_the_wire"])
    if BASELINE in filled:
        yield _memory_verdict(BASELINE, None, ours["taken"], filled[BASELINE]["taken"])


def _fill_cache(bench, name, count):
    """Reads `count` articles once and returns the figures, in bytes."""
    file = bench.articles_file("memory", bench.database, f"rank <= {count}")
    with bench.contentd(name=name, cache_bytes=4 << 30) as server:
        # Allocates the memory that calls need even without a cache.
        bench.load(server, bench.file_of(bench.median_article)).run(_SHAPE, 1)
        before = server.resident_bytes()
        filled = bench.load(server, file).run(_SHAPE, 600, order="sequence")
        taken = server.resident_bytes() - before
        cache = _cache_of(server)
    if cache["articles"] != count:
        raise RuntimeError(f"the cache holds {cache['articles']:,} of the {count:,} articles")
    return {
        "bytes_on_the_wire": filled.details["answered_bytes"],
        "resident_before": before,
        "taken": taken,
        "cache": cache,
    }


def _memory_verdict(what, wanted, ours, theirs):
    return Verdict(
        "memory",
        what,
        wanted,
        at_least=False,
        ours=_megabytes(ours),
        theirs=_megabytes(theirs),
        ratios=[ours / theirs],
    )


# The most bytes that a comment may take with its indexes, and in the WAL.
_COMMENT_BYTES = 700
_COMMENT_WAL_BYTES = 1000


def comment_size(bench):
    """The bytes that a comment takes in the database, against what it may take."""
    row = "comment-size"
    count = 50_000 if bench.quick else 300_000
    database = bench.cluster.create("comment_size")
    database.migrate(bench.programs.contentds["contentd"])
    heap, indexes, wal = map(float, database.run("comment_size", comments=count)[-1])
    bench.raw[row] = {"heap": heap, "indexes": indexes, "wal": wal}
    what = f"a comment of 184 characters among {count:,}"
    parts = f"{heap:.0f} in the table, {indexes:.0f} in indexes"
    yield _size_verdict(row, f"{what}: {parts}", _COMMENT_BYTES, heap + indexes)
    yield _size_verdict(row, f"{what}: WAL", _COMMENT_WAL_BYTES, wal)


def _size_verdict(row, what, most, measured):
    return Verdict(
        row,
        what,
        1,
        at_least=False,
        ours=f"{measured:.0f} B",
        theirs=f"{most} B",
        ratios=[measured / most],
    )


def _megabytes(count):
    return f"{count / 1e6:,.1f} MB"


def _cache_of(server):
    """The figures about the cache in GetServerInfoResponse."""
    info = wire.fields(server.call(servers.ADMIN + "GetServerInfo", b""))
    cache = wire.fields(info.get(7, [b""])[0])
    return {"bytes": cache.get(2, [0])[0], "articles": cache.get(3, [0])[0]}


def million(bench):
    """The same calls with a hundred times as many articles: `ours` with many, `theirs` with few.

    The first line is the service with its default settings. The others show how much of its loss is
    PostgreSQL's, and what the number of articles by itself costs.
    """
    row = "million"
    few, many = 10_000, 100_000 if bench.quick else 1_000_000
    databases = {
        count: bench.make_database(f"of_{count}", count, body_bytes=MEDIAN_BYTES, comments=0)
        for count in (few, many)
    }
    the_same = bench.articles_file("the-same", databases[many], f"rank <= {few}")
    files = {count: bench.articles_file(count, databases[count]) for count in databases}

    def served(what, wanted, order, articles, **settings):
        def run_of(server, count):
            load = bench.load(server, articles[count])
            return functools.partial(load.run, drive.WIDE, order=order)

        with contextlib.ExitStack() as running:
            of_many = running.enter_context(bench.contentds(databases[many], **settings))
            of_few = running.enter_context(bench.contentd(databases[few], **settings))
            runs = {name: run_of(server, many) for name, server in of_many.items()}
            runs[few] = run_of(of_few, few)
            yield from compared(what, wanted, "contentd", runs)

    def compared(what, wanted, name, runs):
        for run in runs.values():
            run(3 * bench.seconds)  # fills caches
        measured = bench.interleave(row, what, runs)
        text = f"{few:,} articles, not {many:,}: {what}"
        yield verdict(row, text, wanted, measured, name, few)
        yield from against_baseline(row, measured, ("per_second", "cpu_us"), what)

    def read(count):
        return functools.partial(bench.pgbench, "read", database=databases[count], articles=count)

    yield from served("by popularity, default cache", 0.9, "zipf", files)
    yield from served("any, cache of 1 MB", None, "uniform", files, **NO_CACHE)
    clients = bench.best_clients(row, f"read of {many:,}", read(many))
    runs = {
        name: functools.partial(read(count), clients)
        for name, count in (("pgbench", many), (few, few))
    }
    yield from compared(f"any, pgbench, {clients} clients", None, "pgbench", runs)
    yield from served(f"by popularity of the same {few:,}", None, "zipf", {**files, many: the_same})
