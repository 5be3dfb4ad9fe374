"""What is compared with what, and how the comparison ended."""

import statistics
from dataclasses import dataclass


def interleave(pairs, runs):
    """Runs everything in turn, `pairs` times: so the machine's moods fall on all alike.

    `runs`: functions by the name of what they measure. Returns the measurements by that name.
    """
    measured = {name: [] for name in runs}
    for _ in range(pairs):
        for name, run in runs.items():
            measured[name].append(run())
    return measured


@dataclass
class Verdict:
    """One line of the table: a ratio that is wanted, and the one there is."""

    row: str
    what: str
    wanted: float | None
    at_least: bool = True  # else at most
    ours: str = ""
    theirs: str = ""
    ratio: float | None = None
    problem: str = ""  # why there is none

    @property
    def wanted_text(self):
        if self.wanted is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {self.wanted:g}"

    @property
    def result(self):
        if self.ratio is None:
            return self.problem
        good = self.ratio >= self.wanted if self.at_least else self.ratio <= self.wanted
        return "pass" if good else "falls short"


def per_second(value):
    return f"{value:,.0f}/s"


def microseconds(value):
    return f"{value / 1000:,.2f} ms" if value >= 1000 else f"{value:,.1f} us"


_KINDS = {
    "per_second": per_second,
    "cpu_us": microseconds,
    "p50_us": microseconds,
    "p99_us": microseconds,
}


def verdict(row, what, wanted, measured, ours, theirs, value="per_second", at_least=True):
    """Of the measurements `ours` and `theirs` in `measured`: the median of the pairs' ratios."""
    mine = [getattr(one, value) for one in measured[ours]]
    others = [getattr(one, value) for one in measured[theirs]]
    show = _KINDS[value]
    return Verdict(
        row,
        what,
        wanted,
        at_least,
        show(statistics.median(mine)),
        show(statistics.median(others)),
        statistics.median(a / b for a, b in zip(mine, others)),
    )


def skipped(row, what, wanted, problem, at_least=True):
    return Verdict(row, what, wanted, at_least, problem=problem)
