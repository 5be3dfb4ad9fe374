"""What the rows work with: programs, data, and the length of measurements."""

import contextlib
import functools
from dataclasses import dataclass, field
from pathlib import Path

import compare
import drive
import postgres
import servers
import wire

# Numbers of clients that pgbench is tried with.
_CLIENTS = (1, 2, 4, 8, 16, 32, 64)

# The median length of articles' bodies. The lengths are log-normal.
MEDIAN_BYTES = 6144

# A cache that holds almost nothing.
NO_CACHE = {"cache_bytes": 1_000_000}


@dataclass
class Article:
    name: str
    body_bytes: int
    beginning: str
    answers: dict = field(default_factory=dict)  # the first one that was checked, by revision

    @property
    def number(self):
        """The number by which pgbench refers to it."""
        return int(self.name.split("-")[0])

    def check(self, answer):
        """Raises WrongAnswer unless a GetArticleResponse holds this article with its whole body and
        equals the first answer, from any server, that was checked at the same revision."""
        article = wire.article(answer)
        body = article[wire.ARTICLE_BODY][0]
        revision = article[wire.ARTICLE_REVISION][0]
        if (
            article[wire.ARTICLE_NAME][0].decode() != f"articles/{self.name}"
            or len(body) != self.body_bytes
            or not body.decode().startswith(self.beginning)
            or article != self.answers.setdefault(revision, article)
        ):
            raise drive.WrongAnswer(f"not the right answer for {self.name}: {answer[:200]}")


@dataclass
class Bench:
    quick: bool
    programs: servers.Programs
    cluster: postgres.Cluster
    scratch: Path
    raw: dict = field(default_factory=dict)  # all measurements, by row and by what they compare
    # The contentds by name, with a baseline that refuses the schema of `database`.
    every_contentd: dict = field(default_factory=dict)

    def __post_init__(self):
        self.every_contentd = dict(self.programs.contentds)

    @property
    def pairs(self):
        return 3 if self.quick else 5

    @property
    def seconds(self):
        return 1 if self.quick else 3

    # ---- Data ----

    @functools.cached_property
    def article_count(self):
        return 10_000 if self.quick else 100_000

    @functools.cached_property
    def database(self):
        return self.make_database(
            "content", self.article_count, body_bytes=MEDIAN_BYTES, comments=10 * self.article_count
        )

    def make_database(self, name, articles, body_bytes, comments):
        database = self.cluster.create(name)
        database.fill(self.programs.contentds["contentd"], articles, body_bytes, comments)
        return database

    @functools.cached_property
    def all_articles(self):
        return self.articles_file("all", self.database)

    def make_empty_database(self, name, contentd):
        """Makes a database with the schema of `contentd`, a key of every_contentd."""
        database = self.cluster.create(name)
        database.migrate(self.every_contentd[contentd])
        return database

    def articles_file(self, name, database, condition="true"):
        """Writes the file that bench_load reads, with the articles in bench_article that meet the
        condition, and returns its path."""
        file = self.scratch / f"articles-{name}"
        file.write_text(
            database.psql(
                "--command",
                "COPY (SELECT name, body_bytes, beginning "
                f"FROM bench_article WHERE {condition} ORDER BY rank) TO STDOUT",
            )
        )
        return file

    def _articles(self, order, count=1):
        rows = self.database.query(
            f"SELECT name, body_bytes, beginning FROM bench_article ORDER BY {order} LIMIT {count}"
        )
        return [Article(name, int(body_bytes), beginning) for name, body_bytes, beginning in rows]

    @functools.cached_property
    def large_article(self):
        """About 12.5 KB on the wire."""
        return self._articles("abs(body_bytes - 12000), rank")[0]

    @functools.cached_property
    def median_article(self):
        return self._articles(_BY_DISTANCE_FROM_MEDIAN)[0]

    @functools.cached_property
    def popular_article(self):
        return self._articles("rank")[0]

    @functools.cached_property
    def fresh_articles(self):
        """An iterator over articles of about the median length, one for each run that writes to a
        single article: dead versions of its row do not slow down other runs."""
        return iter(self._articles(_BY_DISTANCE_FROM_MEDIAN, 1000)[1:])

    def file_of(self, article):
        return self.articles_file(article.name, self.database, f"name = '{article.name}'")

    # ---- Servers ----

    def contentd(self, database=None, name="contentd", **settings):
        """Runs a contentd. `name`: a key of every_contentd."""
        program = self.every_contentd[name]
        return servers.contentd(
            program, name, database or self.database, self.scratch, **settings
        )

    @contextlib.contextmanager
    def contentds(self, database=None, **settings):
        """Runs our contentd, and the baseline if there is one, on the same database. Yields the
        servers by name."""
        with contextlib.ExitStack() as running:
            yield {
                name: running.enter_context(self.contentd(database, name, **settings))
                for name in self.programs.contentds
            }

    def echo(self, answer):
        return servers.echo(self.programs, answer, self.scratch)

    def peer(self, language, connections):
        return servers.peer(self.programs, language, self.database, connections, self.scratch)

    @property
    def peers(self):
        return self.programs.peers.keys()

    # ---- Drivers ----

    def same_article(self, server, article):
        return drive.SameCall(
            server, servers.CONTENT + "GetArticle", wire.get_article(article.name), article.check
        )

    def load(self, server, articles=None, caller=None):
        acknowledged = self.scratch / "acknowledged"
        acknowledged.mkdir(exist_ok=True)
        return drive.Load(
            self.programs.load, server, articles or self.all_articles, acknowledged, caller
        )

    def publishing(self, server):
        return drive.Load(self.programs.load, server, articles=None)

    def pgbench(self, script, clients, seconds, database=None, percentile=False, **variables):
        ran = (database or self.database).pgbench(script, clients, seconds, variables, percentile)
        return drive.Measured(ran.per_second, p50_us=ran.p50_us, details={"clients": clients})

    # ---- Measuring ----

    def best(self, row, what, runs):
        """Returns the number that gives the highest throughput, and prints what was tried.

        `runs`: by number, a function that measures for a number of seconds.
        """
        tried = compare.interleave(1 if self.quick else 3, runs, 1)
        per_second = {number: compare.median(measured) for number, measured in tried.items()}
        self.raw.setdefault(row, {})[what] = per_second
        text = (f"{number}: {compare.per_second(value)}" for number, value in per_second.items())
        print(f"  {what}: {', '.join(text)}", flush=True)
        return max(per_second, key=per_second.get)

    def best_clients(self, row, what, run):
        """Returns the number of clients that gives pgbench the highest throughput.

        `run(clients, seconds)` measures it.
        """
        runs = {clients: functools.partial(run, clients) for clients in _CLIENTS}
        return self.best(row, f"pgbench {what} by clients", runs)

    def interleave(self, row, what, runs, seconds=None, rounds=None):
        """Measures all contestants in turn and records the measurements in `raw`.

        `runs`: by name, a function that measures for a number of seconds. Returns a list of
        measurements, one per round, for each name.
        """
        return self._measure(compare.interleave, row, what, runs, seconds, rounds)

    def side_by_side(self, row, what, runs, seconds=None, rounds=None):
        """The same, with all contestants at the same time."""
        return self._measure(compare.side_by_side, row, what, runs, seconds, rounds)

    def _measure(self, measure, row, what, runs, seconds, rounds):
        measured = measure(rounds or self.pairs, runs, seconds or self.seconds)
        self.raw.setdefault(row, {})[what] = {
            name: [vars(one) for one in ones] for name, ones in measured.items()
        }
        return measured


_BY_DISTANCE_FROM_MEDIAN = """
abs(body_bytes - (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY body_bytes)
                  FROM bench_article)), rank"""
