"""Runs the benchmark with programs that are already built; tests/bench/run calls it."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import access
import chart
import monitoring
import postgres
import reads
import report
import scale
import servers
import sweep
import writes
from bench import Bench
from compare import BASELINE, Verdict

CHART = "chart"

# Each function yields verdicts. They run in this order: those that only read come before those that
# change the data.
ROWS = {
    "cached": reads.cached_and_echo,
    "cached-latency": reads.cached_latency,
    "cached-peers": reads.cached_and_peers,
    "access": access.cached,
    "monitoring": monitoring.cached,
    "uncached": reads.uncached,
    "uncached-latency": reads.uncached_latency,
    "list-comments": reads.list_comments,
    "memory": scale.memory,
    "comment-size": scale.comment_size,
    "comments-spread": writes.comments_spread,
    "comments-one-article": writes.comments_on_one_article,
    "comment-latency": writes.comment_latency,
    "publish": writes.publish,
    "import": writes.import_files,
    "import-comments": writes.import_comments,
    "mix": writes.mix,
    "million": scale.million,
    CHART: sweep.measure,
}
FULL_RUN_ONLY = {"million"}
USE_NGHTTP2 = {"cached", "cached-latency", "cached-peers", "list-comments", "memory", CHART}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=ROWS, default=[])
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    options = parser.parse_args()
    everything = [name for name in ROWS if not (options.quick and name in FULL_RUN_ONLY)]
    options.rows = [name for name in ROWS if name in (options.only or everything)]
    return options


def programs_in(options):
    contentds = {"contentd": options.build_dir / "contentd"}
    if options.baseline:
        contentds[BASELINE] = options.baseline / "contentd"
    peers = {
        language: options.output_dir / "peers" / language / "server" for language in ("go", "rust")
    }
    return servers.Programs(
        contentds=contentds,
        load=options.build_dir / "bench_load",
        echo=options.build_dir / "bench_echo",
        peers={language: server for language, server in peers.items() if server.exists()},
    )


def run_rows(bench, names):
    """Returns the verdicts, and whether all rows could be measured."""
    verdicts, sound = [], True
    lacks = [program for program in ("h2load", "nghttp") if not shutil.which(program)]
    for name in names:
        if lacks and name in USE_NGHTTP2:
            problem = f"skipped: {lacks[0]} is not installed (Debian's package nghttp2-client)"
            verdicts.append(Verdict(name, "", problem=problem))
            continue
        start = time.monotonic()
        print(name, flush=True)
        try:
            verdicts += ROWS[name](bench)
        except Exception as error:  # the other rows can still be measured
            sound = False
            traceback.print_exc()
            first_line = str(error).partition("\n")[0]
            verdicts.append(Verdict(name, "", problem=f"failed: {first_line[:100]}"))
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return verdicts, sound


def main():
    # SIGTERM unwinds the stack, so that everything started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = parse()
    options.output_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="content-bench-") as scratch:
        os.chmod(scratch, 0o755)  # the database runs as another user than root
        with postgres.cluster(scratch) as cluster:
            return measure(options, cluster, Path(scratch))


def measure(options, cluster, scratch):
    bench = Bench(options.quick, programs_in(options), cluster, scratch)
    machine = report.machine(cluster)
    print(f"{report.summary(machine)}\ndata", flush=True)
    start = time.monotonic()
    size = bench.database.value("SELECT pg_size_pretty(pg_database_size(current_database()))")
    print(
        f"  {bench.article_count:,} articles, {size}, {time.monotonic() - start:.0f} s", flush=True
    )

    unusable = drop_unusable_baseline(bench)
    verdicts, sound = run_rows(bench, options.rows)
    verdicts += unusable
    if CHART in bench.raw:
        picture = chart.draw(bench.raw[CHART], report.summary(machine))
        write(options.output_dir / "chart.svg", picture)
    results = report.as_json(verdicts, bench.raw, machine, options.quick)
    write(options.output_dir / "results.json", json.dumps(results, indent=1))
    print(f"\n{report.table(verdicts)}")
    return 0 if sound else 1


def drop_unusable_baseline(bench):
    """Drops the baseline, from all rows that share the database, if it refuses the database's
    schema. Returns verdicts that report this."""
    if BASELINE not in bench.programs.contentds:
        return []
    try:
        with bench.contentd(name=BASELINE):
            return []
    except RuntimeError as error:
        del bench.programs.contentds[BASELINE]
        *_, reason = str(error).strip().splitlines()
        print(f"{BASELINE}\n  left out of all rows but publish: {reason}", flush=True)
        return [Verdict(BASELINE, "", problem=f"left out but for publish: {reason[:100]}")]


def write(file, text):
    file.write_text(text)
    print(f"wrote {file}")


sys.exit(main())
