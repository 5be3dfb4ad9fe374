"""The benchmark's own PostgreSQL: durable, on a unix socket, with default settings except for
shared_buffers."""

import contextlib
import os
import pwd
import re
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

import processes

HERE = Path(__file__).resolve().parent.parent


def _programs():
    """The directory with the programs of the newest PostgreSQL that is installed."""
    versions = [
        path
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if 15 <= int(path.parts[-3]) <= 17
    ]
    if not versions:
        raise RuntimeError("PostgreSQL 15 to 17 is not installed (Debian's package postgresql)")
    return max(versions, key=lambda path: int(path.parts[-3])).parent


def _user():
    """The user that the database runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("postgres")
    return entry.pw_uid, entry.pw_gid


def _shared_buffers():
    """A quarter of the memory, as PostgreSQL's manual advises, but at most 4 GB; the data does not
    need more."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(memory // 4, 4 << 30) >> 20}MB"


@dataclass
class Transactions:
    """The results of a run of pgbench."""

    per_second: float
    p50_us: float | None = None


class Database:
    """One database of the cluster."""

    def __init__(self, programs, socket, name, scratch):
        self._programs = programs
        self._socket = socket
        self._name = name
        self._scratch = scratch
        self.url = f"postgresql:///{name}?user=content&host={socket}"

    def psql(self, *arguments):
        settings = [
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
        ]
        return processes.run([self._programs / "psql", self.url, *settings, *arguments])

    def query(self, sql):
        """Returns the rows that a statement returns, each a list of texts."""
        lines = self.psql("--field-separator", "\t", "--command", sql).splitlines()
        return [line.split("\t") for line in lines]

    def value(self, sql):
        """Returns the single value that a statement returns."""
        return self.query(sql)[0][0]

    def migrate(self, contentd):
        processes.run([contentd, "migrate", "--database-url", self.url])

    def run(self, script, **variables):
        """Runs tests/bench/SCRIPT.sql with variables of psql. Returns the rows of its results."""
        given = [f"--set={name}={value}" for name, value in variables.items()]
        text = self.psql("--field-separator", "\t", *given, f"--file={HERE}/{script}.sql")
        return [line.split("\t") for line in text.splitlines()]

    def fill(self, contentd, articles, body_bytes, comments):
        self.migrate(contentd)
        self.run("data", articles=articles, body_bytes=body_bytes, comments=comments)

    def pgbench(self, script, clients, seconds, variables, percentile=False):
        """Runs tests/bench/pgbench/SCRIPT.sql. `percentile`: measures the p50 too."""
        command = [
            self._programs / "pgbench",
            "--no-vacuum",
            "--protocol=prepared",
            f"--file={HERE}/pgbench/{script}.sql",
            f"--client={clients}",
            f"--jobs={min(clients, os.cpu_count())}",
            f"--time={max(1, round(seconds))}",
        ]
        for name, value in variables.items():
            command += ["--define", f"{name}={value}"]
        log = Path(self._scratch) / "pgbench"
        if percentile:
            command += ["--log", "--log-prefix", log]
        text = processes.run([*command, self.url])
        failed = re.search(r"^number of failed transactions: (\d+)", text, re.MULTILINE)
        tps = re.search(r"^tps = ([\d.]+)", text, re.MULTILINE)
        if failed is None or int(failed[1]) != 0 or tps is None:
            raise RuntimeError(f"pgbench {script}: transactions failed, or none finished\n{text}")
        per_second = float(tps[1])
        if not percentile:
            return Transactions(per_second)
        times = []
        for file in log.parent.glob("pgbench.*"):
            times += [int(line.split()[2]) for line in file.read_text().splitlines()]
            file.unlink()
        return Transactions(per_second, statistics.median(times))


class Cluster:
    def __init__(self, programs, socket, scratch):
        self._programs = programs
        self._socket = socket
        self._scratch = scratch

    def create(self, name):
        self._database("postgres").psql("--command", f"CREATE DATABASE {name}")
        return self._database(name)

    def version(self):
        return processes.run([self._programs / "postgres", "--version"]).split()[2]

    def settings(self):
        """The settings that affect the figures."""
        return dict(
            self._database("postgres").query(
                "SELECT name, current_setting(name) FROM unnest('{fsync, full_page_writes, "
                "synchronous_commit, wal_sync_method, shared_buffers}'::text[]) AS name"
            )
        )

    def _database(self, name):
        return Database(self._programs, self._socket, name, self._scratch)


@contextlib.contextmanager
def cluster(scratch):
    """Runs a cluster in a directory below `scratch`, and removes it at the end."""
    programs, user = _programs(), _user()
    home = Path(scratch) / "postgres"
    home.mkdir(mode=0o700)
    if user is not None:
        os.chown(home, *user)
    data, log = home / "data", Path(scratch) / "postgres.log"
    settings = ["--username=content", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"]
    initdb_command = [programs / "initdb", f"--pgdata={data}", *settings]
    with processes.running(initdb_command, log, user) as initdb:
        if initdb.wait() != 0:
            raise RuntimeError(f"initdb failed:\n{log.read_text()[-2000:]}")
    server = [
        programs / "postgres",
        "-D",
        data,
        f"--unix_socket_directories={home}",
        "--listen_addresses=",
        f"--shared_buffers={_shared_buffers()}",
    ]
    try:
        # SIGINT is a fast shutdown, which disconnects all clients.
        with processes.running(server, log, user, stop_signal="INT") as process:
            ready = [programs / "pg_isready", "--quiet", "--host", home]
            processes.wait_for(lambda: _succeeds(ready), process, log, "PostgreSQL")
            yield Cluster(programs, home, scratch)
    finally:
        shutil.rmtree(home)


def _succeeds(command):
    try:
        processes.run(command)
    except RuntimeError:
        return False
    return True
