"""Looks at the status page of a live server: check.py CONTENTD SECONDS OUTPUT"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import browser
import grpc
from content.v1 import article_pb2 as article
from content.v1 import comment_pb2 as comment
from content.v1 import content_service_pb2 as content_service
from content.v1 import admin_service_pb2 as admin_service

TIMEOUT = 60
VIEWS = {"light": (1000, False), "dark": (1000, True), "phone": (360, False), "phone-dark": (360, True)}

# The texts with too little contrast: 4.5 to 1, or 3 to 1 if they are large (WCAG 2.2, 1.4.3).
FAINT_TEXTS = """
(() => {
  const channels = color => color.match(/[0-9.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = channels(color).slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(style.color), luminance(background(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if ((a + 0.05) / (b + 0.05) < (isLarge ? 3 : 4.5)) faint.push(texts.currentNode.data);
  }
  return faint;
})()
"""

# The elements that reach over the edge of the window.
WIDE_ELEMENTS = """
[...document.querySelectorAll("body *")].filter(element => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map(element => element.outerHTML.slice(0, 100))
"""


class Wrong(Exception):
    """The page is not as it should be."""


def check(what, is_true, detail=""):
    if not is_true:
        raise Wrong(f"{what} {detail}")
    print(f"ok: {what}", flush=True)


def wait_until(what, is_true):
    end = time.monotonic() + TIMEOUT
    while not is_true():
        if time.monotonic() > end:
            raise Wrong(f"not in time: {what}")
        time.sleep(0.2)


class Server:
    """A contentd with an embedded database."""

    def __init__(self, program, folder):
        self.data = folder / "data"
        self.log = folder / "contentd.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--data-dir", self.data, "--listen", "127.0.0.1:0", "--drain-delay", "0s"]
                + ["--http-listen", "127.0.0.1:0", "--log-format", "json"],
                stderr=log,
            )
        self.address = self.address_in("serving")
        self.status_url = f"http://{self.address_in('serving http')}/statusz"

    def address_in(self, event):
        found = []

        def look():
            if self.process.poll() is not None:
                raise Wrong(f"contentd has ended: {self.log.read_text()}")
            lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]
            found.extend(line["address"] for line in lines if line["event"] == event)
            return found

        wait_until(f"contentd logs {event}", look)
        return found[0]

    def signal_database(self, number):
        """Sends a signal to every process of the database."""
        postmaster = int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in [postmaster, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=TIMEOUT)


class Traffic:
    """Calls the server, rightly and wrongly, until it is stopped."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.articles = [f"articles/article-{i}" for i in range(20)]
        for name in self.articles:
            published = article.Article(name=name, title="An article", language_code="en", body="Some text.")
            self.call("AdminService", "PublishArticle", admin_service.PublishArticleRequest(article=published))
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def call(self, service, name, request):
        messages = admin_service if service == "AdminService" else content_service
        method = self.channel.unary_unary(
            f"/content.v1.{service}/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=getattr(messages, f"{name}Response").FromString,
        )
        return method(request, timeout=2)

    def run(self):
        turn = 0
        while not self.is_over.is_set():
            turn += 1
            name = self.articles[turn * turn % len(self.articles)]
            reader = comment.Comment(author=comment.CommentAuthor(id="r", display_name="R"), body="Yes.")
            calls = [("GetArticle", content_service.GetArticleRequest(name=name))] * 10
            if turn % 5 == 0:
                calls.append(("ListArticles", content_service.ListArticlesRequest(page_size=turn % 7 + 1)))
                calls.append(("CreateComment", content_service.CreateCommentRequest(parent=name, comment=reader)))
            if turn % 20 == 0:
                calls.append(("GetArticle", content_service.GetArticleRequest(name="articles/missing")))
                calls.append(("ListComments", content_service.ListCommentsRequest(parent="wrong")))
            for method, request in calls:
                with contextlib.suppress(grpc.RpcError):
                    self.call("ContentService", method, request)
            # More at times, so that the charts have something to show.
            self.is_over.wait(0.02 + 0.02 * (int(time.monotonic()) // 15 % 3))

    def stop(self):
        self.is_over.set()
        self.thread.join()
        self.channel.close()


def read(url):
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        return answer.read().decode(), answer.headers


def look_at(page, url, state, output):
    """Checks the page, and leaves pictures of it."""
    for view, (width, is_dark) in VIEWS.items():
        page.open(url, width, is_dark)
        page.screenshot(output / f"{state}-{view}.png")
        name = f"{state}, {view}"
        check(f"{name}: the browser does not complain", not page.complaints(), page.complaints())
        wide = page.evaluate(WIDE_ELEMENTS)
        check(f"{name}: nothing is too wide", not wide, wide)
        faint = page.evaluate(FAINT_TEXTS)
        check(f"{name}: every text has contrast", not faint, faint)


def main(program, seconds, output):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # the database runs as another user than root
        server = Server(program, folder)
        stack.callback(server.stop)
        traffic = Traffic(server.address)
        stack.callback(traffic.stop)
        page = browser.Browser("chromium")
        stack.callback(page.close)

        text, headers = read(server.status_url)
        check("it is HTML", headers["Content-Type"] == "text/html; charset=utf-8", headers["Content-Type"])
        check("it may load nothing", "default-src 'none'" in headers["Content-Security-Policy"])
        time.sleep(seconds)
        text, _ = read(server.status_url)
        check("all is well", "Serving. Everything is well." in text)
        look_at(page, server.status_url, "well", output)

        server.signal_database(signal.SIGSTOP)
        stack.callback(server.signal_database, signal.SIGCONT)
        wait_until("it says that the database hangs", lambda: "has not answered since" in read(server.status_url)[0])
        look_at(page, server.status_url, "database-away", output)
    print(f"pictures: {output}")


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]))
    except Wrong as wrong:
        sys.exit(f"failed: {wrong}")
