"""Comparing measurements: taking them in turn, and the verdict on each pair of contestants."""

import concurrent.futures
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

BASELINE = "baseline"  # the name of the other version of contentd among the measurements


def interleave(rounds, runs, *arguments):
    """Calls each function in `runs` in turn, `rounds` times, so that changes in the machine's speed
    affect all of them alike.

    `runs`: functions by the name of what they measure, called with `arguments`. Returns a list of
    measurements for each name.
    """
    measured = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            measured[name].append(run(*arguments))
    return measured


def side_by_side(rounds, runs, *arguments):
    """Calls all functions in `runs` at the same time, `rounds` times. They share the machine, so
    this compares what they cost, not what they achieve; for differences that are smaller than
    changes in the machine's speed. Takes and returns the same as interleave."""
    measured = {name: [] for name in runs}
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as threads:
        for _ in range(rounds):
            started = {name: threads.submit(run, *arguments) for name, run in runs.items()}
            for name, future in started.items():
                measured[name].append(future.result())
    return measured


def median(measurements, value="per_second"):
    return statistics.median(getattr(one, value) for one in measurements)


@dataclass
class Verdict:
    """One line of the table: a ratio and the goal for it."""

    row: str
    what: str
    wanted: float | None = None  # the goal; None: shown for comparison only
    at_least: bool = True  # otherwise the ratio should be at most `wanted`
    ours: str = ""
    theirs: str = ""
    ratios: list = field(default_factory=list)  # one per round
    problem: str = ""  # why there are no ratios

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


@dataclass
class _Kind:
    """How a value of a measurement is shown, and whether more of it is better."""

    suffix: str
    show: Callable
    at_least: bool = False


_KINDS = {
    "per_second": _Kind("", per_second, at_least=True),
    "cpu_us": _Kind(": CPU per call", microseconds),
    "p50_us": _Kind(": p50", microseconds),
    "p99_us": _Kind(": p99", microseconds),
}


def verdict(row, what, wanted, measured, ours, theirs, value="per_second"):
    """Compares measured[ours] with measured[theirs] by one of their values, round by round."""
    mine, others = measured[ours], measured[theirs]
    kind = _KINDS[value]
    return Verdict(
        row,
        what + kind.suffix,
        wanted,
        kind.at_least,
        kind.show(median(mine, value)),
        kind.show(median(others, value)),
        [getattr(a, value) / getattr(b, value) for a, b in zip(mine, others)],
    )


def against_baseline(row, measured, values, what=""):
    """Yields a verdict on contentd against the baseline, if there is one, for each of `values` that
    was measured."""
    if BASELINE in measured:
        text = f"{BASELINE}, {what}" if what else BASELINE
        for value in values:
            if getattr(measured[BASELINE][0], value) is not None:
                yield verdict(row, text, None, measured, "contentd", BASELINE, value)
