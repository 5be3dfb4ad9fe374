"""The rows of writes. After each the database is asked whether it holds what was acknowledged."""

import functools
import statistics

import drive
import peers
from compare import verdict

# Calls at once for comments: they wait for the disk, so that it takes many to keep it busy.
_COMMENTERS = (8, 32)

_SHARE_OF_COMMENTS = 0.05

# pgbench's transaction: as four statements one after the other, which is what is compared with, and
# as the same four sent at once, the least that PostgreSQL takes.
_INSERT_AND_COUNTER = ("insert + counter", "insert + counter in one round trip")


def comments_spread(bench):
    """Each comment on an article of its own choosing."""
    row = "comments-spread"
    _settle(bench)
    clients = bench.best_clients(row, "bare insert", _pgbench(bench, counted=0))
    what = f"pgbench bare insert, {clients} clients"
    with bench.contentd() as server:
        measured = bench.interleave(
            row,
            what,
            {
                "contentd": functools.partial(bench.load(server).run, _COMMENTERS, comments=1),
                "pgbench": functools.partial(_pgbench(bench, counted=0), clients),
            },
        )
    _check_comments(bench)
    yield verdict(row, what, 1.5, measured, "contentd", "pgbench")


def comments_on_one_article(bench):
    """Every run has an article of its own, see Bench.fresh_articles."""
    row = "comments-one-article"

    def pgbench(pipelined, clients, seconds):
        number = next(bench.fresh_articles).number
        return bench.pgbench(
            "comment", clients, seconds, counted=1, pipelined=pipelined, first=number, last=number
        )

    def run_of(server):
        def run(seconds):
            file = bench.file_of(next(bench.fresh_articles))
            return bench.load(server, file).run(_COMMENTERS, seconds, comments=1)

        return run

    _settle(bench)
    others = {}
    for pipelined, what in enumerate(_INSERT_AND_COUNTER):
        run = functools.partial(pgbench, pipelined)
        clients = bench.best_clients(row, what, run)
        wanted = None if pipelined else 10
        others[f"pgbench {what}, {clients} clients"] = wanted, functools.partial(run, clients)
    verdicts = list(peers.against(bench, row, {"go": 10}, bench.contentd(), run_of, others))
    _check_comments(bench)
    yield from verdicts


def comment_latency(bench):
    row = "comment-latency"
    _settle(bench)
    with bench.contentd() as server:
        runs = {"contentd": functools.partial(bench.load(server).run, (1, 1), comments=1)}
        for pipelined, what in enumerate(_INSERT_AND_COUNTER):
            run = _pgbench(bench, counted=1, pipelined=pipelined, percentile=True)
            runs[what] = functools.partial(run, 1)
        measured = bench.interleave(row, "1x1", runs)
    _check_comments(bench)
    for what, wanted in zip(_INSERT_AND_COUNTER, (1.5, None)):
        text = f"pgbench {what}, 1 client: p50"
        yield verdict(row, text, wanted, measured, "contentd", what, "p50_us", at_least=False)


def mix(bench):
    """Reads beside comments, of articles by popularity, at 70 % of the most that the mix does."""
    row = "mix"
    _settle(bench)
    with bench.contentd() as server:
        reads = functools.partial(bench.load(server).run, drive.WIDE, order="zipf")
        mixed = functools.partial(reads, comments=_SHARE_OF_COMMENTS)
        reads(3 * bench.seconds)  # fills the cache
        peak = bench.interleave(row, "peak", {"mix": mixed})["mix"]
        rate = 0.7 * statistics.median(one.per_second for one in peak)
        what = f"reads only, {rate:,.0f} calls/s: p99 of reads"
        measured = bench.interleave(
            row,
            what,
            {
                "mix": functools.partial(mixed, rate=rate),
                "reads": functools.partial(reads, rate=rate),
            },
            2 * bench.seconds,
        )
    _check_comments(bench)
    yield verdict(row, what, 1.5, measured, "mix", "reads", "p99_us", at_least=False)


def _pgbench(bench, counted, pipelined=0, percentile=False):
    """What measures pgbench's comments, each on any article, with so many clients for so many
    seconds."""
    return functools.partial(
        bench.pgbench,
        "comment",
        percentile=percentile,
        counted=counted,
        pipelined=pipelined,
        first=1,
        last=bench.article_count,
    )


def _settle(bench):
    """Lets the database do now what it would otherwise do in the middle of a measurement."""
    bench.database.psql(
        "--command", "VACUUM ANALYZE article_state, comment", "--command", "CHECKPOINT"
    )


def _check_comments(bench):
    """Fails unless every comment that was acknowledged so far is there exactly once, bench_load
    wrote no others, and every article counts its comments right."""
    bench.database.psql(
        "--command",
        "DROP TABLE IF EXISTS bench_acknowledged; CREATE TABLE bench_acknowledged (name text)",
    )
    for file in (bench.scratch / "acknowledged").iterdir():
        bench.database.psql("--command", f"\\copy bench_acknowledged FROM '{file}'")
    acknowledged, found, written, texts, miscounted = map(int, bench.database.query(_CHECK)[0])
    if not acknowledged == found == written == texts or miscounted:
        raise drive.WrongAnswer(
            f"{acknowledged} comments were acknowledged; {found} of them are there, {written} "
            f"were written, with {texts} different texts; {miscounted} articles miscount theirs"
        )


# What pgbench's bare insert has written ('bare-') is counted by nobody.
_CHECK = r"""
SELECT (SELECT count(DISTINCT name) FROM bench_acknowledged),
       (SELECT count(*) FROM bench_acknowledged a
        JOIN comment c ON c.article_id = split_part(a.name, '/', 2)
                      AND c.comment_id = split_part(a.name, '/', 4)::uuid),
       count(*) FILTER (WHERE body LIKE 'run-%'),
       count(DISTINCT body) FILTER (WHERE body LIKE 'run-%'),
       (SELECT count(*) FROM article_state s
        LEFT JOIN (SELECT article_id, count(*) AS comments FROM comment
                   WHERE state = 1 AND author_id NOT LIKE 'bare-%' GROUP BY article_id) AS counted
        USING (article_id)
        WHERE s.comment_count <> coalesce(comments, 0))
FROM comment"""
