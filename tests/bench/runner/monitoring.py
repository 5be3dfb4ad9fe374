"""The row of what it costs to be monitored: cached reads by a server that tells all it can, and by
one that tells nothing."""

import contextlib
import functools
import subprocess
import threading
import urllib.request

import drive
import processes
from compare import verdict

_OFF = "nothing on"
_SCRAPED = "scraped each second"
_SAMPLED = "everything on, one call in 100 logged"
_ON = "everything on"


def cached(bench):
    """CPU of a cached article. Calls are counted either way; the row cached with a baseline shows
    what that costs."""
    row = "monitoring"
    article = bench.file_of(bench.median_article)
    with contextlib.ExitStack() as running:
        runs = {}
        for name, settings in _contestants(bench).items():
            server = running.enter_context(bench.contentd(drain_delay="0s", **settings))
            runs[name] = functools.partial(bench.load(server, article).run, drive.WIDE)
            if address := settings.get("http_listen"):
                running.enter_context(_scraping(f"http://{address}/metrics"))
        # The differences are small: many short rounds, of which each compares neighbours in time.
        rounds, seconds = (3, 1) if bench.quick else (25, 2)
        what = f"cached, {drive.WIDE[0]}x{drive.WIDE[1]}"
        measured = bench.interleave(row, what, runs, seconds, rounds)
    for name in measured:
        if name != _OFF:
            yield verdict(row, f"{_OFF}, {name}", None, measured, name, _OFF, "cpu_us")


def _contestants(bench):
    """The settings of contentd, by what they turn on. A server takes none of its pages, its access
    log and its traces from the defaults, so that the table says what was measured."""
    every_call = {"access_log": "all"}
    traces = {"trace_sample": "0.01"}
    if _has_otlp(bench.programs.contentds["contentd"]):
        # Nobody listens there. Spans are made and handed over, and that they are lost is not the
        # server's work.
        traces["otlp_endpoint"] = f"http://127.0.0.1:{processes.free_port()}"
    return {
        _OFF: {"access_log": "off"},  # and no pages: so are servers run here
        _SCRAPED: {"access_log": "off", **_pages()},
        _SAMPLED: {**every_call, "access_log_sample": 100, **traces, **_pages()},
        _ON: {**every_call, **traces, **_pages()},
    }


def _pages():
    return {"http_listen": f"127.0.0.1:{processes.free_port()}"}


def _has_otlp(program):
    """Whether it was built where the library is."""
    tried = subprocess.run(
        [program, "serve", "--otlp-endpoint=http://127.0.0.1:1", "--listen="],
        env=processes.clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return "no OTLP" not in tried.stderr


@contextlib.contextmanager
def _scraping(url):
    """Reads a page each second."""
    done = threading.Event()

    def scrape():
        while not done.wait(1):
            with urllib.request.urlopen(url, timeout=10) as response:
                response.read()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
