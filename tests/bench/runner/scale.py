"""The rows of memory and of size."""

import contextlib

import drive
import servers
import wire
from bench import NO_CACHE
from compare import Verdict, skipped, verdict

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
    if cache["articles"] == count:
        taken = after - before
        yield Verdict(
            "memory",
            what,
            1.15,
            False,
            _megabytes(taken),
            _megabytes(on_the_wire),
            taken / on_the_wire,
        )
    else:
        problem = f"the cache holds {cache['articles']:,} of the {count:,} articles"
        yield skipped("memory", what, 1.15, problem, at_least=False)


def _megabytes(count):
    return f"{count / 1e6:,.1f} MB"


def _cache_of(server):
    """What GetServerInfo says of the cache."""
    info = wire.fields(server.call(servers.ADMIN + "GetServerInfo", b""))
    cache = wire.fields(info.get(7, [b""])[0])
    return {"bytes": cache.get(2, [0])[0], "articles": cache.get(3, [0])[0]}


def million(bench):
    """Reads from the database when that has a hundred times as many articles; beside it what
    PostgreSQL alone makes of that."""
    row = "million"
    few, many = 10_000, 1_000_000
    with contextlib.ExitStack() as running:
        runs = {}
        for count in (few, many):
            database = bench.make_database(f"of_{count}", count, body_bytes=500, comments=0)
            server = running.enter_context(bench.contentd(database, **NO_CACHE))
            load = bench.load(server, bench.articles_file(count, database))
            load.run(drive.WIDE, 5 * bench.seconds)
            runs[count] = lambda load=load: load.run(drive.WIDE, bench.seconds)
            runs[f"pgbench {count}"] = lambda database=database, count=count: bench.pgbench(
                "read", 8, database, articles=count
            )
        measured = bench.interleave(row, "8x16", runs)
    alone = verdict(row, "", 0.9, measured, f"pgbench {many}", f"pgbench {few}")
    what = f"GetArticle uncached with 10,000 articles, not 1,000,000; pgbench: {alone.ratio:.2f}"
    yield verdict(row, what, 0.9, measured, many, few)
