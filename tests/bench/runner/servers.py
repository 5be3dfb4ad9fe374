"""The servers that are compared."""

import contextlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import processes
import wire

CONTENT = "/content.v1.ContentService/"
ADMIN = "/content.v1.AdminService/"

# Options of nghttp and h2load.
GRPC_HEADERS = ("--header=te: trailers", "--header=content-type: application/grpc")


@dataclass
class Programs:
    contentds: dict  # by name: "contentd", ours, and "baseline", if there is one
    load: Path
    echo: Path
    peers: dict  # by language, without those that could not be built


@dataclass
class Server:
    """A running server."""

    name: str
    port: int
    pid: int
    scratch: Path

    def url(self, method):
        return f"http://127.0.0.1:{self.port}{method}"

    def call(self, method, request):
        """Makes one call and returns the message it is answered with."""
        data = self.request_file(request)
        finished = subprocess.run(
            ["nghttp", "--timeout=10", *GRPC_HEADERS, f"--data={data}", self.url(method)],
            capture_output=True,
            check=False,
        )
        try:
            return wire.unframe(finished.stdout)
        except ValueError as error:
            raise RuntimeError(f"{self.name}, {method}: {error}") from error

    def request_file(self, request):
        file = self.scratch / f"request-{self.port}"
        file.write_bytes(wire.frame(request))
        return file

    def cpu_seconds(self):
        return processes.cpu_seconds(self.pid)

    def resident_bytes(self):
        return processes.resident_bytes(self.pid)


@contextlib.contextmanager
def _serving(name, command, scratch):
    """Runs a server and yields it. `command(port)` returns its command line."""
    port = processes.free_port()
    log = scratch / f"{name}.log"
    with processes.running(command(port), log) as process:
        processes.wait_for(lambda: processes.is_port_open(port), process, log, name)
        try:
            yield Server(name, port, process.pid, scratch)
        finally:
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended by itself:\n{log.read_text()[-2000:]}")


def contentd(program, name, database, scratch, **settings):
    """`settings`: flags of `contentd serve`; the others have their defaults."""
    return _serving(
        name,
        lambda port: [
            # By a variable, because the baseline may not have the flag.
            *("env", "CONTENT_HTTP_LISTEN=off"),
            program,
            "serve",
            f"--listen=127.0.0.1:{port}",
            f"--database-url={database.url}",
            "--log-level=warning",
            *(f"--{name.replace('_', '-')}={value}" for name, value in settings.items()),
        ],
        scratch,
    )


def echo(programs, answer, scratch):
    file = scratch / "echo-answer"
    file.write_bytes(answer)
    return _serving("echo", lambda port: [programs.echo, f"127.0.0.1:{port}", file], scratch)


def peer(programs, language, database, connections, scratch):
    return _serving(
        language,
        lambda port: [
            programs.peers[language],
            f"--listen=127.0.0.1:{port}",
            f"--database-url={database.url}",
            f"--connections={connections}",
        ],
        scratch,
    )
