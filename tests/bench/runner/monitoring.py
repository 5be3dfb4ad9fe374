"""The row of what it costs to be monitored: cached reads while Prometheus scrapes, and without."""

import contextlib
import functools
import threading
import urllib.request

import drive
import processes
from compare import verdict

_UNSEEN = "not scraped"
_SCRAPED = "scraped each second"


def cached(bench):
    """CPU of a cached article. Calls are counted either way; the row cached with a baseline shows
    what that costs."""
    row = "monitoring"
    article = bench.file_of(bench.median_article)
    port = processes.free_port()
    settings = {_UNSEEN: {}, _SCRAPED: {"http_listen": f"127.0.0.1:{port}"}}
    with contextlib.ExitStack() as running:
        runs = {}
        for name, setting in settings.items():
            server = running.enter_context(bench.contentd(drain_delay="0s", **setting))
            runs[name] = functools.partial(bench.load(server, article).run, drive.WIDE)
        running.enter_context(_scraping(f"http://127.0.0.1:{port}/metrics"))
        measured = bench.interleave(row, f"cached, {drive.WIDE[0]}x{drive.WIDE[1]}", runs)
    what = f"{_UNSEEN}, {_SCRAPED}"
    yield verdict(row, what, None, measured, _SCRAPED, _UNSEEN, "cpu_us")


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
