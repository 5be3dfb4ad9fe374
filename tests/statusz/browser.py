"""Chromium without a window, driven through its DevTools protocol by a pair of pipes."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile

TIMEOUT = 60  # seconds


class Browser:
    """One page. Remembers what the browser complained about."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp()
        to_browser = _pipe()
        from_browser = _pipe()
        # Chromium reads commands from descriptor 3 and writes answers and events to 4.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}', "bash", program]
            + ["--headless", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run"]
            # The sandbox refuses root, and containers have a small /dev/shm.
            + ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"],
            pass_fds=(to_browser[0], from_browser[1]),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        self._commands = os.fdopen(to_browser[1], "wb", buffering=0)
        self._answers = from_browser[0]
        self._received = bytearray()
        self._last_id = 0
        self._session = None
        self._events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self):
        self.process.kill()
        self.process.wait()
        self._commands.close()
        os.close(self._answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **parameters):
        self._last_id += 1
        command = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        self._commands.write(json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._last_id:
                break
            self._events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        return message["result"]

    def open(self, url, width, is_dark):
        """Returns once the page is loaded."""
        # From an empty page, so that the reload of the page before does not come between.
        self._go_to("about:blank")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._go_to(url)

    def _go_to(self, url):
        self._events.clear()
        loader = self.call("Page.navigate", url=url)["loaderId"]
        while not any(_is_end_of_load(event, loader) for event in self._events):
            self._events.append(self._read())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def complaints(self):
        """Returns what the console has shown and what has failed to load since the page was opened."""
        found = []
        for event in self._events:
            method, detail = event.get("method"), event.get("params", {})
            if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed"):
                found.append(f"{method}: {json.dumps(detail)[:500]}")
            elif method == "Network.responseReceived" and detail["response"]["status"] >= 400:
                found.append(f"{detail['response']['status']} {detail['response']['url']}")
        return found

    def screenshot(self, path):
        """Saves the whole page, not only what fits into the window."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(picture))

    def _read(self):
        while (end := self._received.find(b"\0")) < 0:
            if not select.select([self._answers], [], [], TIMEOUT)[0]:
                raise RuntimeError("the browser does not answer")
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise RuntimeError("the browser has ended")
            self._received += part
        message = json.loads(self._received[:end])
        del self._received[: end + 1]
        return message


def _is_end_of_load(event, loader):
    detail = event.get("params", {})
    is_load = event.get("method") == "Page.lifecycleEvent" and detail["name"] == "load"
    return is_load and detail["loaderId"] == loader


def _pipe():
    """Returns the ends of a pipe, as descriptors that are not 3 and 4."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved
