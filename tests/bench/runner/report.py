"""The results: the table, and all figures as JSON."""

import os
import platform
from dataclasses import asdict
from pathlib import Path

import processes

_HEADINGS = ("row", "against", "ours", "theirs", "wanted", "got", "of pairs", "")
_NOTE = (
    "ours, theirs: medians. got: the median of the ratios ours / theirs of all pairs; the two of a "
    "pair are measured in the same round. of pairs: the smallest and the largest ratio."
)


def table(verdicts):
    lines = [_HEADINGS]
    for verdict in verdicts:
        got = pairs = ""
        if verdict.ratios:
            got = f"{verdict.ratio:.2f}"
            pairs = f"{min(verdict.ratios):.2f}..{max(verdict.ratios):.2f}"
        lines.append(
            (
                verdict.row,
                verdict.what,
                verdict.ours,
                verdict.theirs,
                verdict.wanted_text,
                got,
                pairs,
                verdict.result,
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, tuple("-" * width for width in widths))
    text = "\n".join(
        "  ".join(
            cell.rjust(width) if 2 <= i <= 6 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )
    return f"{text}\n\n{_NOTE}"


def as_json(verdicts, raw, machine, quick):
    return {
        "machine": machine,
        "quick": quick,
        "rows": [
            {**asdict(verdict), "ratio": verdict.ratio, "result": verdict.result}
            for verdict in verdicts
        ],
        "raw": raw,
    }


def machine(cluster):
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "grpc": _said_by("pkg-config", "--modversion", "grpc++"),
        "postgresql": cluster.version(),
        "postgresql_settings": cluster.settings(),
        "go": _said_by("go", "version"),
        "rust": _said_by("rustc", "--version"),
        "h2load": _said_by("h2load", "--version"),
        "commit": _said_by("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"),
    }


def _said_by(*command):
    try:
        return processes.run(command).strip()
    except (RuntimeError, OSError):
        return None


def summary(machine_facts):
    """The machine in one line."""
    return (
        f"{machine_facts['cpu']}, {machine_facts['cores']} cores, gRPC {machine_facts['grpc']}, "
        f"PostgreSQL {machine_facts['postgresql']}, commit {machine_facts['commit']}"
    )
