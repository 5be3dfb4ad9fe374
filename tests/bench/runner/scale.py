"""The rows of memory and of size."""

import contextlib
import functools

import drive
import servers
import wire
from bench import MEDIAN_BYTES, NO_CACHE
from compare import Verdict, verdict

_SHAPE = (1, 4)


def memory(bench):
    """What a cache takes for the articles in it, beside what they are on the wire."""
    count = 5_000 if bench.quick else 40_000
    file = bench.articles_file("memory", bench.database, f"rank <= {count}")
    with bench.contentd(cache_bytes=4 << 30) as server:
        # Whatever calls take that has nothing to do with the cache.
        bench.load(server, bench.file_of(bench.median_article)).run(_SHAPE, 1)
        before = server.resident_bytes()
        filled = bench.load(server, file).run(_SHAPE, 600, order="sequence")
        after = server.resident_bytes()
        cache = _cache_of(server)
    on_the_wire = filled.details["answered_bytes"]
    bench.raw["memory"] = {
        "articles": count,
        "bytes_on_the_wire": on_the_wire,
        "resident_before": before,
        "resident_after": after,
        "cache": cache,
    }
    what = f"bytes on the wire of {count:,} articles; the cache counts {_megabytes(cache['bytes'])}"
    line = Verdict("memory", what, 1.15, at_least=False)
    if cache["articles"] == count:
        taken = after - before
        line.ours, line.theirs = _megabytes(taken), _megabytes(on_the_wire)
        line.ratios = [taken / on_the_wire]
    else:
        line.problem = f"failed: the cache holds {cache['articles']:,} of the {count:,} articles"
    yield line


def _megabytes(count):
    return f"{count / 1e6:,.1f} MB"


def _cache_of(server):
    """What GetServerInfo says of the cache."""
    info = wire.fields(server.call(servers.ADMIN + "GetServerInfo", b""))
    cache = wire.fields(info.get(7, [b""])[0])
    return {"bytes": cache.get(2, [0])[0], "articles": cache.get(3, [0])[0]}


def million(bench):
    """The same calls with a hundred times as many articles: in `theirs` with few, in `ours` with
    many. The first line is the service as it runs by default; the others tell how much of what it
    loses is PostgreSQL's, and how much the mere size costs."""
    row = "million"
    few, many = 10_000, 100_000 if bench.quick else 1_000_000
    databases = {
        count: bench.make_database(f"of_{count}", count, body_bytes=MEDIAN_BYTES, comments=0)
        for count in (few, many)
    }
    the_same = bench.articles_file("the-same", databases[many], f"rank <= {few}")
    files = {count: bench.articles_file(count, databases[count]) for count in databases}

    def served(what, wanted, order, articles, **settings):
        with contextlib.ExitStack() as running:
            runs = {}
            for count, file in articles.items():
                server = running.enter_context(bench.contentd(databases[count], **settings))
                load = bench.load(server, file)
                runs[count] = functools.partial(load.run, drive.WIDE, order=order)
            return compared(what, wanted, runs)

    def compared(what, wanted, runs):
        for run in runs.values():
            run(3 * bench.seconds)  # fills caches
        measured = bench.interleave(row, what, runs)
        text = f"{few:,} articles, not {many:,}: {what}"
        return verdict(row, text, wanted, measured, many, few)

    def read(count):
        return functools.partial(bench.pgbench, "read", database=databases[count], articles=count)

    yield served("by popularity, default cache", 0.9, "zipf", files)
    yield served("any, cache of 1 MB", None, "uniform", files, **NO_CACHE)
    clients = bench.best_clients(row, f"read of {many:,}", read(many))
    runs = {count: functools.partial(read(count), clients) for count in databases}
    yield compared(f"any, pgbench, {clients} clients", None, runs)
    yield served(f"by popularity of the same {few:,}", None, "zipf", {**files, many: the_same})
