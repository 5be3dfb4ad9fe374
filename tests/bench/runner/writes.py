"""The rows of writes. After each of them the database is checked for every acknowledged comment."""

import contextlib
import functools
import itertools
import time

import compare
import drive
import peers
import processes
from compare import against_baseline, verdict

# Calls at once for comments: they wait for the disk, so it takes many to keep it busy.
_COMMENTERS = (8, 32)

_SHARE_OF_COMMENTS = 0.05

# Calls at once for articles: fewer than a server lets wait for its database.
_PUBLISHERS = (4, 8)

# The transaction of pgbench: as four statements one after the other, which the goals are about, and
# with the four sent at once, the least that PostgreSQL takes.
_INSERT_AND_COUNTER = ("insert + counter", "insert + counter in one round trip")


def comments_spread(bench):
    """Each comment on an article chosen at random."""
    row = "comments-spread"
    _settle(bench)
    clients = bench.best_clients(row, "bare insert", _pgbench(bench, counted=0))
    what = f"pgbench bare insert, {clients} clients"
    with bench.contentds() as contentds:
        runs = _runs(bench, contentds, _COMMENTERS, comments=1)
        runs["pgbench"] = functools.partial(_pgbench(bench, counted=0), clients)
        measured = bench.interleave(row, what, runs)
    _check_comments(bench)
    yield verdict(row, what, 1.5, measured, "contentd", "pgbench")
    yield from against_baseline(row, measured, ("per_second", "cpu_us", "p99_us"))


def comments_on_one_article(bench):
    """All comments of a run on one article, of its own: see Bench.fresh_articles."""
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
    verdicts = list(peers.against(bench, row, {"go": 10}, bench.contentds(), run_of, others))
    _check_comments(bench)
    yield from verdicts


def comment_latency(bench):
    """The time of one comment at a time, each on an article chosen at random."""
    row = "comment-latency"
    _settle(bench)
    with bench.contentds() as contentds:
        runs = _runs(bench, contentds, (1, 1), comments=1)
        for pipelined, what in enumerate(_INSERT_AND_COUNTER):
            run = _pgbench(bench, counted=1, pipelined=pipelined, percentile=True)
            runs[what] = functools.partial(run, 1)
        measured = bench.interleave(row, "1x1", runs)
    _check_comments(bench)
    for what, wanted in zip(_INSERT_AND_COUNTER, (1.5, None)):
        text = f"pgbench {what}, 1 client"
        yield verdict(row, text, wanted, measured, "contentd", what, "p50_us")
    yield from against_baseline(row, measured, ("p50_us", "p99_us"))


def publish(bench):
    """New small articles. Each server has a database of its own, with its own schema."""
    row = "publish"
    with contextlib.ExitStack() as running:
        databases, runs = {}, {}
        for name in bench.every_contentd:
            databases[name] = bench.make_empty_database(f"publish_{name}", name)
            server = running.enter_context(bench.contentd(databases[name], name))
            runs[name] = functools.partial(bench.publishing(server).publish, _PUBLISHERS)
            if name == "contentd":
                alone = functools.partial(bench.publishing(server).publish, (1, 1))
        measured = bench.interleave(row, "4x8", {**runs, "one at a time": alone})
    for name, database in databases.items():
        of_server = measured[name] + (measured["one at a time"] if name == "contentd" else [])
        _check_articles(database, sum(one.details["calls"] for one in of_server))
    yield verdict(row, "contentd, one article at a time", None, measured, "contentd", "one at a time")
    yield from against_baseline(row, measured, ("per_second", "cpu_us", "p99_us"))


def import_files(bench):
    """Small articles from Markdown files, against COPY of the rows that they become. Each round has
    an empty database."""
    count = 1_000 if bench.quick else 6_000
    folder = bench.scratch / "import"
    folder.mkdir()
    for number in range(count):
        text = _IMPORTED.format(number=number, day=1 + number % 28)
        (folder / f"post-{number}.md").write_text(text)
    yield _import(bench, "import", count, [folder], _IMPORTED_TABLES)


def import_comments(bench):
    """The comments of a Disqus export, 20 on each of many articles, against COPY of the rows that
    they become. Each round has a new database, with the articles."""
    articles = 100 if bench.quick else 2_000
    folder = bench.scratch / "import-articles"
    folder.mkdir()
    for number in range(articles):
        head = f"permalink: https://example.com/post-{number}/\n"
        text = _IMPORTED.format(number=number, day=1 + number % 28)
        (folder / f"post-{number}.md").write_text(text.replace("---\n", f"---\n{head}", 1))
    comments = [(thread, number) for thread in range(articles) for number in range(20)]
    export = bench.scratch / "disqus.xml"
    export.write_text(
        _DISQUS.format(
            threads="".join(_THREAD.format(thread=thread) for thread in range(articles)),
            posts="".join(
                _POST.format(id=place + 1, thread=thread, number=number)
                for place, (thread, number) in enumerate(comments)
            ),
        )
    )
    tables = ("comment",)
    yield _import(bench, "import-comments", len(comments), [export], tables, articles=folder)


def _import(bench, row, count, paths, tables, articles=None):
    """Imports `paths` into databases that have what is in `articles`. Expects `count` rows in the
    last one of `tables`."""
    names = (f"{row.replace('-', '_')}_{i}" for i in itertools.count())
    databases = (bench.make_empty_database(name, "contentd") for name in names)
    rows = {table: bench.scratch / f"{row}-{table}" for table in tables}  # of the last import

    def run(database, *paths):
        processes.run(
            [bench.every_contentd["contentd"], "import", "--database-url", database.url, *paths]
        )

    def new_database():
        database = next(databases)
        if articles:
            run(database, articles)
        return database

    def contentd(_):
        database = new_database()
        start = time.monotonic()
        run(database, *paths)
        measured = drive.Measured(count / (time.monotonic() - start))
        found = int(database.query(f"SELECT count(*) FROM {tables[-1]}")[0][0])
        if found != count:
            raise drive.WrongAnswer(f"{row}: {count} were imported, and there are {found}")
        for table, file in rows.items():
            database.psql("--command", f"\\copy (SELECT * FROM {table}) TO '{file}'")
        return measured

    def copy(_):
        database = next(databases)
        commands = [f"\\copy {table} FROM '{file}'" for table, file in rows.items()]
        arguments = itertools.chain.from_iterable(("--command", command) for command in commands)
        start = time.monotonic()
        database.psql("--single-transaction", *arguments)
        return drive.Measured(count / (time.monotonic() - start))

    measured = bench.interleave(row, "items", {"contentd": contentd, "COPY": copy})
    return verdict(row, "COPY of the same rows", None, measured, "contentd", "COPY")


_IMPORTED_TABLES = (
    "article_name",
    "article_state",
    "article_label",
    "article_search",
    "article_change",
    "audit_event",
    "article",
)

_IMPORTED = """---
title: Post number {number}
author: Ada Byron
date: 2025-01-{day:02}
tags: [engines, poetry]
---

The first paragraph of post {number} says what it is about, and the next one goes on.

## A heading

It has a second paragraph, which is about as long as the first one, and then it ends.
"""


_DISQUS = """<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<category dsq:id="1"><forum>bench</forum><title>General</title><isDefault>true</isDefault></category>
{threads}{posts}</disqus>
"""

_THREAD = """<thread dsq:id="t{thread}"><id/><forum>bench</forum><category dsq:id="1"/>
<link>https://example.com/post-{thread}/</link><title>Post number {thread}</title><message/>
<createdAt>2025-02-01T10:00:00Z</createdAt><author><name>Ada</name><isAnonymous>false</isAnonymous>
<username>ada</username></author><isClosed>false</isClosed><isDeleted>false</isDeleted></thread>
"""

_POST = """<post dsq:id="{id}"><id/><message><![CDATA[<p>Comment {number} on this post says in a few
words what its reader thinks of it, and why.</p>]]></message>
<createdAt>2025-02-02T10:00:{number:02}Z</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam>
<author><name>Reader {number}</name><isAnonymous>false</isAnonymous>
<username>reader{number}</username></author><thread dsq:id="t{thread}"/></post>
"""


def mix(bench):
    """Reads and comments on articles chosen by popularity, at 70 % of the peak of the mix."""
    row = "mix"
    _settle(bench)
    with bench.contentds() as contentds:
        reads = _runs(bench, contentds, drive.WIDE, order="zipf")
        mixed = _runs(bench, contentds, drive.WIDE, order="zipf", comments=_SHARE_OF_COMMENTS)
        for run in reads.values():
            run(3 * bench.seconds)  # fills the cache
        peak = bench.interleave(row, "peak", mixed)
        rate = 0.7 * compare.median(peak["contentd"])
        what = f"reads only, {rate:,.0f} calls/s"
        at_rate = {name: functools.partial(run, rate=rate) for name, run in mixed.items()}
        # The baseline comes last: contentd should not be warmer from the reads before it.
        runs = {
            "contentd": at_rate.pop("contentd"),
            "reads": functools.partial(reads["contentd"], rate=rate),
            **at_rate,
        }
        measured = bench.interleave(row, what, runs, 2 * bench.seconds)
    _check_comments(bench)
    yield verdict(row, what, 1.5, measured, "contentd", "reads", "p99_us")
    yield from against_baseline(row, peak, ("per_second", "cpu_us"), "peak")
    values = ("cpu_us", "p50_us", "p99_us")
    yield from against_baseline(row, measured, values, f"{rate:,.0f} calls/s")


def _runs(bench, contentds, shape, **settings):
    """Functions that drive each server in `contentds` for a number of seconds, by its name."""
    return {
        name: functools.partial(bench.load(server).run, shape, **settings)
        for name, server in contentds.items()
    }


def _pgbench(bench, counted, pipelined=0, percentile=False):
    """Returns a function that measures pgbench's comments, each on an article chosen at random,
    with a number of clients for a number of seconds."""
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
    """Makes the database do now what it might otherwise do during a measurement."""
    bench.database.psql(
        "--command", "VACUUM ANALYZE article_state, comment", "--command", "CHECKPOINT"
    )


def _check_articles(database, published):
    """Raises WrongAnswer unless there are that many articles, each once in the feed."""
    found = database.query(
        "SELECT count(*), (SELECT count(*) FROM article), (SELECT count(*) FROM article_search), "
        "count(DISTINCT feed_position), max(feed_position) FROM article_state"
    )[0]
    if any(int(count) != published for count in found):
        raise drive.WrongAnswer(f"{published} articles were published, and there are {found}")


def _check_comments(bench):
    """Raises WrongAnswer unless every comment acknowledged so far exists exactly once, bench_load
    wrote no others, and every article's comment_count is right."""
    bench.database.psql(
        "--command",
        "DROP TABLE IF EXISTS bench_acknowledged; CREATE TABLE bench_acknowledged (name text)",
    )
    for file in (bench.scratch / "acknowledged").iterdir():
        bench.database.psql("--command", f"\\copy bench_acknowledged FROM '{file}'")
    acknowledged, found, written, texts, miscounted = map(int, bench.database.query(_CHECK)[0])
    if not acknowledged == found == written == texts or miscounted:
        raise drive.WrongAnswer(
            f"{acknowledged} comments were acknowledged, {found} of these exist, {written} were "
            f"written, with {texts} different texts; {miscounted} articles have a wrong count"
        )


# No article counts the rows of pgbench's bare insert ('bare-').
_CHECK = r"""
SELECT (SELECT count(DISTINCT name) FROM bench_acknowledged),
       (SELECT count(*) FROM bench_acknowledged a
        JOIN article_name n ON n.name = split_part(a.name, '/', 2)
        JOIN comment c ON c.article_key = n.article_key
                      AND c.comment_id = split_part(a.name, '/', 4)::uuid),
       count(*) FILTER (WHERE body LIKE 'run-%'),
       count(DISTINCT body) FILTER (WHERE body LIKE 'run-%'),
       (SELECT count(*) FROM article_state s
        LEFT JOIN (SELECT article_key, count(*) AS comments FROM comment
                   WHERE state = 1 AND author_id NOT LIKE 'bare-%' GROUP BY article_key) AS counted
        USING (article_key)
        WHERE s.comment_count <> coalesce(comments, 0))
FROM comment"""
