"""The row of what it costs to be monitored: cached reads by a server that tells all it can, and by
one that tells nothing."""

import contextlib
import functools
import subprocess
import threading
import urllib.request

import drive
import processes
from compare import Verdict, verdict

_OFF = "nothing on"
_AGAIN = "nothing on either"
_SCRAPED = "scraped each second"
_SAMPLED = "everything on, one call in 100 logged"
_ON = "everything on"

# Each scrapes a server that does nothing else.
_PAGES = 100


def cached(bench):
    """CPU of a cached article. Calls are counted either way; the row cached with a baseline shows
    what that costs."""
    row = "monitoring"
    for name, settings in _contestants(bench).items():
        # The differences are smaller than what a machine's speed changes by from one second to the
        # next, or a process's by where its memory lies: the two of a pair run at the same time, and
        # each few rounds have new ones.
        measured = {_OFF: [], name: []}
        for start in range(1 if bench.quick else 10):
            pair = {_OFF: _nothing(), name: settings}
            for side, ones in _side_by_side(bench, f"{name}, {start}", pair).items():
                measured[side] += ones
        yield verdict(row, f"{_OFF}, {name}", None, measured, name, _OFF, "cpu_us")
        if name == _SCRAPED:
            yield _of_pages(bench, measured[_OFF])


def _of_pages(bench, unscraped):
    """The CPU of a server that is scraped each second, against that of the one that was not: by the
    CPU of a page, which is far below the noise of a measurement under load."""
    settings = _pages()
    url = _metrics_of(settings)
    ratios = []
    with bench.contentd(drain_delay="0s", **settings) as server:
        for one in unscraped:
            cpu = server.cpu_seconds()
            for _ in range(_PAGES):
                _read(url)
            page = (server.cpu_seconds() - cpu) / _PAGES
            ratios.append(1 + page / (one.cpu_us / 1e6 * one.per_second))
    what = f"{_OFF}, {_SCRAPED}, by the CPU of a page"
    return Verdict("monitoring", what, wanted=1.01, at_least=False, ratios=ratios)


def _read(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        response.read()


def _side_by_side(bench, what, pair):
    """Measures new servers with these settings."""
    article = bench.file_of(bench.median_article)
    rounds, seconds = (3, 1) if bench.quick else (4, 2)
    with contextlib.ExitStack() as running:
        runs = {}
        for name, settings in pair.items():
            server = running.enter_context(bench.contentd(drain_delay="0s", **settings))
            runs[name] = functools.partial(bench.load(server, article).run, drive.WIDE)
            if "http_listen" in settings:
                running.enter_context(_scraping(_metrics_of(settings)))
        return bench.side_by_side("monitoring", what, runs, seconds, rounds)


def _contestants(bench):
    """The settings of contentd, by what they turn on. A server takes none of its pages, its access
    log and its traces from the defaults, so that the table says what was measured. The first is the
    other side of each pair once more: what its ratios differ from 1 by is noise."""
    every_call = {"access_log": "all"}
    traces = {"trace_sample": "0.01"}
    if _has_otlp(bench.programs.contentds["contentd"]):
        # Nobody listens there. Spans are made and handed over, and that they are lost is not the
        # server's work.
        traces["otlp_endpoint"] = f"http://127.0.0.1:{processes.free_port()}"
    return {
        _AGAIN: _nothing(),
        _SCRAPED: {**_nothing(), **_pages()},
        _SAMPLED: {**every_call, "access_log_sample": 100, **traces, **_pages()},
        _ON: {**every_call, **traces, **_pages()},
    }


def _nothing():
    return {"access_log": "off"}  # and no pages: so are servers run here


def _pages():
    return {"http_listen": f"127.0.0.1:{processes.free_port()}"}


def _metrics_of(settings):
    return f"http://{settings['http_listen']}/metrics"


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
            _read(url)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
