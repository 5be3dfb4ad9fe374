"""Driving a server with calls, and the figures measured. A wrong answer raises WrongAnswer."""

import itertools
import json
import re
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import processes
import servers
import wire

# Connections, and calls at once on each.
WIDE = (8, 16)


class WrongAnswer(Exception):
    pass


@dataclass
class Measured:
    per_second: float
    cpu_us: float | None = None  # of the server's process, per call
    p50_us: float | None = None
    p99_us: float | None = None
    details: dict = field(default_factory=dict)


class SameCall:
    """The same call over and over, made by h2load. It is the cheapest driver, but checks only the
    length of an answer; so one answer is checked before each run and one after."""

    def __init__(self, server, method, request, check):
        self.server = server
        self._method = method
        self._request = request
        self._answer = server.call(method, request)
        check(self._answer)
        self._per_second = {}

    @property
    def answer(self):
        return self._answer

    def run(self, shape, seconds, times=False):
        """Measures for about that many seconds. `times`: also the percentiles of their times."""
        if shape not in self._per_second:
            self._per_second[shape] = self._requests(shape, 2000).per_second
            warm_up = 0.3 * seconds * self._per_second[shape]
            warmed = self._requests(shape, max(1000, round(warm_up)))
            self._per_second[shape] = warmed.per_second
        measured = self._requests(shape, max(100, round(seconds * self._per_second[shape])), times)
        self._per_second[shape] = measured.per_second
        if self.server.call(self._method, self._request) != self._answer:
            raise WrongAnswer(f"the answer of {self.server.name} has changed")
        return measured

    def _requests(self, shape, count, times=False):
        connections, streams = shape
        command = [
            "h2load",
            f"--requests={max(count, connections * streams)}",
            f"--clients={connections}",
            f"--max-concurrent-streams={streams}",
            f"--data={self.server.request_file(self._request)}",
            *servers.GRPC_HEADERS,
        ]
        log = self.server.scratch / "h2load.log"
        log.unlink(missing_ok=True)
        if times:
            command.append(f"--log-file={log}")
        cpu, own_cpu = self.server.cpu_seconds(), processes.cpu_seconds_of_children()
        text = processes.run([*command, self.server.url(self._method)])
        cpu = self.server.cpu_seconds() - cpu
        measured = self._read(text, cpu, processes.cpu_seconds_of_children() - own_cpu)
        if times:
            measured.p50_us, measured.p99_us = _percentiles(
                [int(line.split("\t")[2]) for line in log.read_text().splitlines()]
            )
        return measured

    def _read(self, text, cpu, own_cpu):
        """`cpu`, `own_cpu`: seconds of CPU that the server and h2load took."""
        per_second = float(re.search(r"finished in [^,]*, ([\d.]+) req/s", text)[1])
        succeeded = int(re.search(r"(\d+) succeeded", text)[1])
        total = int(re.search(r"requests: (\d+) total", text)[1])
        data = int(re.search(r"\((\d+)\) data", text)[1])
        if succeeded != total or data != total * len(wire.frame(self._answer)):
            raise WrongAnswer(
                f"{self.server.name}: {total} calls for {len(self._answer)} bytes each "
                f"got {data} bytes:\n{text}"
            )
        return Measured(
            per_second,
            cpu_us=1e6 * cpu / total,
            details={"requests": total, "driver_cpu_share": own_cpu * per_second / total},
        )


def _percentiles(times):
    times.sort()
    return statistics.median(times), times[max(0, -(-99 * len(times) // 100) - 1)]


class Load:
    """Calls that differ, made by bench_load, which checks every answer."""

    _tags = itertools.count(1)

    def __init__(self, program, server, articles, acknowledged=None, caller=None):
        """`articles`: the file that bench_load reads; None to publish. `acknowledged`: a directory
        for the names of acknowledged comments. Each run writes a file there, named by the tag that
        its comments begin with. `caller`: options of bench_load that say who calls."""
        self._program = program
        self.server = server
        self._articles = articles
        self._acknowledged = acknowledged
        self._caller = caller or {}

    def publish(self, shape, seconds):
        """Publishes new small articles for that many seconds."""
        return self._run(shape, seconds, {"publish": "true"})

    def run(self, shape, seconds, warm_up=0.3, order="uniform", comments=0, rate=0):
        """Measures for that many seconds. The percentiles are those of reads, if there are any."""
        settings = {
            "articles": self._articles,
            "order": order,
            "warm-up": 0 if order == "sequence" else warm_up,
            "comments": comments,
            "rate": rate,
        }
        return self._run(shape, seconds, settings)

    def _run(self, shape, seconds, settings):
        tag = f"run-{next(self._tags)}"
        connections, streams = shape
        settings = {
            "port": self.server.port,
            "connections": connections,
            "streams": streams,
            "seconds": seconds,
            "tag": tag,
            "seed": tag.removeprefix("run-"),
            **self._caller,
            **settings,
        }
        if settings.get("comments", 0) > 0:
            settings["acknowledged"] = Path(self._acknowledged) / tag
        command = [self._program, *(f"--{name}={value}" for name, value in settings.items())]
        cpu = self.server.cpu_seconds()
        summary = json.loads(processes.run(command))
        cpu = self.server.cpu_seconds() - cpu
        if summary["errors"] > 0:
            raise WrongAnswer(
                f"{self.server.name}: {summary['errors']} calls failed, the first with "
                f"{summary['first_error']}"
            )
        if summary["requests"] == 0:
            raise WrongAnswer(f"{self.server.name} answered nothing in {seconds} s")
        kinds = ("GetArticle", "CreateComment", "PublishArticle")
        kind = next(summary[kind] for kind in kinds if kind in summary)
        return Measured(
            summary["per_second"],
            cpu_us=1e6 * cpu / summary["calls"],
            p50_us=kind["p50_us"],
            p99_us=kind["p99_us"],
            details=summary,
        )
