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

# In words, for the table.
PEER_NAMES = {"go": "Go peer (grpc-go, pgx)", "rust": "Rust peer (tonic, tokio-postgres)"}

CLIENTS = (1, 2, 4, 8, 16, 32)

# A cache that holds next to nothing.
NO_CACHE = {"cache_bytes": 1_000_000}


@dataclass
class Article:
    name: str
    body_bytes: int
    beginning: str

    @property
    def number(self):
        """What pgbench calls it."""
        return int(self.name.split("-")[0])

    def check(self, answer):
        """Fails unless a GetArticleResponse holds this article with its whole body."""
        article = wire.fields(wire.fields(answer)[1][0])
        body = article[8][0]
        if (
            article[1][0].decode() != f"articles/{self.name}"
            or len(body) != self.body_bytes
            or not body.decode().startswith(self.beginning)
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
            "content", self.article_count, body_bytes=6144, comments=10 * self.article_count
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

    def _article(self, order):
        row = self.database.query(
            f"SELECT name, body_bytes, beginning FROM bench_article ORDER BY {order} LIMIT 1"
        )[0]
        return Article(row[0], int(row[1]), row[2])

    @functools.cached_property
    def large_article(self):
        """Of some 12.5 KB on the wire."""
        return self._article("abs(body_bytes - 12000), rank")

    @functools.cached_property
    def median_article(self):
        return self._article(
            "abs(body_bytes - (SELECT percentile_disc(0.5) WITHIN GROUP "
            "(ORDER BY body_bytes) FROM bench_article)), rank"
        )

    @functools.cached_property
    def popular_article(self):
        return self._article("rank")

    def file_of(self, article):
        return self.articles_file(article.name, self.database, f"name = '{article.name}'")

    # ---- Servers ----

    def contentd(self, database=None, **settings):
        return servers.contentd(self.programs, database or self.database, self.scratch, **settings)

    def echo(self, answer):
        return servers.echo(self.programs, answer, self.scratch)

    def peer(self, language):
        return servers.peer(self.programs, language, self.database, self.scratch)

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

    def pgbench(self, script, clients, database=None, percentile=False, **variables):
        said = (database or self.database).pgbench(
            script, clients, self.seconds, variables, percentile
        )
        return drive.Measured(said.per_second, p50_us=said.p50_us, details={"clients": clients})

    def best_clients(self, row, script, **variables):
        """The number of clients with which pgbench does the most."""
        tried = compare.interleave(
            1 if self.quick else 2,
            {
                clients: lambda clients=clients: self.pgbench(script, clients, **variables)
                for clients in CLIENTS
            },
        )
        per_second = {
            clients: statistics.mean(one.per_second for one in measured)
            for clients, measured in tried.items()
        }
        self.raw.setdefault(row, {})[f"pgbench {script} by clients"] = per_second
        return max(per_second, key=per_second.get)

    def interleave(self, row, what, runs):
        """compare.interleave, with a record of everything measured."""
        measured = compare.interleave(self.pairs, runs)
        self.raw.setdefault(row, {})[what] = {
            name: [vars(one) for one in ones] for name, ones in measured.items()
        }
        return measured

    # ---- Around writes ----

    def settle(self):
        """Lets the database do now what it would otherwise do in the middle of a measurement."""
        self.database.psql(
            "--command", "VACUUM ANALYZE article_state, comment", "--command", "CHECKPOINT"
        )

    def check_comments(self):
        """Fails unless every comment that was acknowledged so far is there exactly once, bench_load
        wrote no others, and every article counts its comments right."""
        self.database.psql(
            "--command",
            "DROP TABLE IF EXISTS bench_acknowledged; CREATE TABLE bench_acknowledged (name text)",
        )
        for file in (self.scratch / "acknowledged").iterdir():
            self.database.psql("--command", f"\\copy bench_acknowledged FROM '{file}'")
        acknowledged, found, written, texts, miscounted = map(int, self.database.query(_CHECK)[0])
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
