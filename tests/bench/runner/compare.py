"""What is compared with what, and how the comparison ended."""

import statistics
from dataclasses import dataclass, field


def interleave(rounds, runs, *arguments):
    """Runs everything in turn, `rounds` times: so the machine's moods fall on all alike.

    `runs`: functions by the name of what they measure, called with `arguments`. Returns the
    measurements by that name.
    """
    measured = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            measured[name].append(run(*arguments))
    return measured


@dataclass
class Verdict:
    """One line of the table: a ratio that is wanted, and the one there is."""

    row: str
    what: str
    wanted: float | None = None  # None: it is shown for comparison
    at_least: bool = True  # else at most
    ours: str = ""
    theirs: str = ""
    ratios: list = field(
        default_factory=list
    )  # of the pairs that were measured one after the other
    problem: str = ""  # why there are none

    @property
    def wanted_text(self):
        if self.wanted is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {self.wanted:g}"

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def result(self):
        if not self.ratios or self.wanted is None:
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
    """On the measurements `ours` and `theirs` in `measured`, pair by pair."""
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
        [a / b for a, b in zip(mine, others)],
    )


def skipped(row, what, wanted, problem, at_least=True):
    return Verdict(row, what, wanted, at_least, problem=problem)
