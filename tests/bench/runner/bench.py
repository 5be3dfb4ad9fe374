"""What the rows work with: programs, data, and how long to measure."""

import functools
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import compare
import drive
import postgres
import servers
import wire

# Of pgbench: how many it is tried with.
_CLIENTS = (1, 2, 4, 8, 16, 32, 64)

# Of articles' bodies: their lengths are log-normal.
MEDIAN_BYTES = 6144

# A cache that holds next to nothing.
NO_CACHE = {"cache_bytes": 1_000_000}


@dataclass
class Article:
    name: str
    body_bytes: int
    beginning: str
    said: dict = field(default_factory=dict)  # by servers, by revision

    @property
    def number(self):
        """What pgbench calls it."""
        return int(self.name.split("-")[0])

    def check(self, answer):
        """Fails unless a GetArticleResponse holds this article with its whole body, and says the
        same of it as the server that was asked first."""
        article = wire.article(answer)
        body = article[wire.ARTICLE_BODY][0]
        revision = article[wire.ARTICLE_REVISION][0]
        if (
            article[wire.ARTICLE_NAME][0].decode() != f"articles/{self.name}"
            or len(body) != self.body_bytes
            or not body.decode().startswith(self.beginning)
            or article != self.said.setdefault(revision, article)
        ):
            raise drive.WrongAnswer(f"this is not {self.name}: {answer[:200]}")


@dataclass
class Bench:
    quick: bool
    programs: servers.Programs
    cluster: postgres.Cluster
    scratch: Path
    raw: dict = field(default_factory=dict)  # every measurement, by row and what was measured

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
        database.fill(self.programs.contentd, articles, body_bytes, comments)
        return database

    @functools.cached_property
    def all_articles(self):
        return self.articles_file("all", self.database)

    def articles_file(self, name, database, condition="true"):
        """The file of articles that bench_load reads, of those in bench_article that fit."""
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
        """Of some 12.5 KB on the wire."""
        return self._articles("abs(body_bytes - 12000), rank")[0]

    @functools.cached_property
    def median_article(self):
        return self._articles(_BY_DISTANCE_FROM_MEDIAN)[0]

    @functools.cached_property
    def popular_article(self):
        return self._articles("rank")[0]

    @functools.cached_property
    def fresh_articles(self):
        """Articles of about the median length, each for one run that writes: its row, and what is
        left of earlier states of it, slow down nobody else."""
        return iter(self._articles(_BY_DISTANCE_FROM_MEDIAN, 1000)[1:])

    def file_of(self, article):
        return self.articles_file(article.name, self.database, f"name = '{article.name}'")

    # ---- Servers ----

    def contentd(self, database=None, **settings):
        return servers.contentd(self.programs, database or self.database, self.scratch, **settings)

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

    def load(self, server, articles=None):
        acknowledged = self.scratch / "acknowledged"
        acknowledged.mkdir(exist_ok=True)
        return drive.Load(self.programs.load, server, articles or self.all_articles, acknowledged)

    def pgbench(self, script, clients, seconds, database=None, percentile=False, **variables):
        said = (database or self.database).pgbench(script, clients, seconds, variables, percentile)
        return drive.Measured(said.per_second, p50_us=said.p50_us, details={"clients": clients})

    # ---- Measuring ----

    def best(self, row, what, runs):
        """The number with which the most is done, of those that `runs` has a function for: one that
        measures for so many seconds. Prints what was tried."""
        tried = compare.interleave(1 if self.quick else 3, runs, 1)
        per_second = {
            number: statistics.median(one.per_second for one in measured)
            for number, measured in tried.items()
        }
        self.raw.setdefault(row, {})[what] = per_second
        said = (f"{number}: {compare.per_second(value)}" for number, value in per_second.items())
        print(f"  {what}: {', '.join(said)}", flush=True)
        return max(per_second, key=per_second.get)

    def best_clients(self, row, what, run):
        """The number of clients with which pgbench does the most. `run(clients, seconds)`."""
        runs = {clients: functools.partial(run, clients) for clients in _CLIENTS}
        return self.best(row, f"pgbench {what} by clients", runs)

    def interleave(self, row, what, runs, seconds=None):
        """The measurements by the names in `runs`, which has functions that measure for so many
        seconds; with a record of everything measured."""
        measured = compare.interleave(self.pairs, runs, seconds or self.seconds)
        self.raw.setdefault(row, {})[what] = {
            name: [vars(one) for one in ones] for name, ones in measured.items()
        }
        return measured


_BY_DISTANCE_FROM_MEDIAN = """
abs(body_bytes - (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY body_bytes)
                  FROM bench_article)), rank"""
