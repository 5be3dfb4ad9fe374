"""Attacks the service behind each proxy, and uses it through the proxy: check.py CONTENTD"""

import contextlib
import dataclasses
import multiprocessing
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import attacks
import grpc
from content.v1 import admin_service_pb2 as admin_service
from content.v1 import article_pb2 as article
from content.v1 import comment_pb2 as comment
from content.v1 import content_service_pb2 as content_service
from google.rpc import error_details_pb2, status_pb2

MIB = 1 << 20
GROWTH_LIMIT = 64 * MIB
READ_TIMEOUT = 2  # seconds
TIMEOUT = 30

HERE = pathlib.Path(__file__).resolve().parent
CONFIGURATIONS = HERE.parent.parent / "deploy" / "proxies"
ARTICLE = "articles/read-all-the-time"


class Wrong(Exception):
    """The service or a proxy does not do what it should."""


def check(what, is_true):
    if not is_true:
        raise Wrong(what)
    print(f"ok: {what}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what, is_true, process=None):
    end = time.monotonic() + TIMEOUT
    while not is_true():
        if time.monotonic() > end or (process and process.poll() is not None):
            raise Wrong(f"not in time: {what}")
        time.sleep(0.05)


class Service:
    """A stub for the calls that are made here."""

    METHODS = {
        "GetArticle": (content_service, "ContentService", "unary_unary"),
        "ListArticles": (content_service, "ContentService", "unary_unary"),
        "CreateComment": (content_service, "ContentService", "unary_unary"),
        "WatchComments": (content_service, "ContentService", "unary_stream"),
        "PublishArticle": (admin_service, "AdminService", "unary_unary"),
    }

    def __init__(self, port, certificate):
        credentials = grpc.ssl_channel_credentials(certificate)
        self.channel = grpc.secure_channel(f"localhost:{port}", credentials, [("grpc.max_receive_message_length", -1)])
        for name, (messages, service, kind) in self.METHODS.items():
            method = getattr(self.channel, kind)(
                f"/content.v1.{service}/{name}",
                request_serializer=getattr(messages, f"{name}Request").SerializeToString,
                response_deserializer=getattr(messages, f"{name}Response").FromString,
            )
            setattr(self, name, method)

    def get(self, name=ARTICLE, timeout=READ_TIMEOUT, **options):
        return self.GetArticle(content_service.GetArticleRequest(name=name), timeout=timeout, **options).article

    def publish(self, name, body):
        published = article.Article(name=name, title="An article", language_code="en", body=body)
        self.PublishArticle(admin_service.PublishArticleRequest(article=published), timeout=TIMEOUT)

    def comment(self, body, request_id="", timeout=TIMEOUT):
        request = content_service.CreateCommentRequest(
            parent=ARTICLE,
            comment=comment.Comment(author=comment.CommentAuthor(id="reader", display_name="A Reader"), body=body),
            request_id=request_id,
        )
        return self.CreateComment(request, timeout=timeout).comment


# Servers and proxies.


class Server:
    """A contentd. The first one has an embedded database, which others share."""

    def __init__(self, program, folder, first=None):
        self.port = free_port()
        self.folder = first.folder if first else folder
        self.arguments = [program, "serve", "--listen", f"127.0.0.1:{self.port}"]
        self.arguments += ["--http-listen", "off"]  # the default port is for one server
        if first:
            database = f"host={folder}/database/socket port=5432 user=content dbname=content"
            self.arguments += ["--database-url", database]
        else:
            self.arguments += ["--data-dir", f"{folder}/database"]
        self.start()

    def start(self):
        with (self.folder / f"contentd-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stderr=log)
        wait_until("contentd serves", lambda: is_listening(self.port), self.process)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        if status != 0:
            raise Wrong(f"contentd exited with {status}")


@contextlib.contextmanager
def running_servers(program, folder):
    """Two servers on one database, which is kept in the folder."""
    with contextlib.ExitStack() as stopping:
        first = Server(program, folder)
        stopping.callback(first.stop)
        second = Server(program, folder, first)
        stopping.callback(second.stop)
        yield [first, second]


class Proxy:
    """A proxy with its configuration of deploy/proxies, in which only ports, paths and servers are replaced."""

    def __init__(self, folder, servers):
        self.folder = folder
        self.port = free_port()
        self.configuration = folder / self.FILE
        text = (CONFIGURATIONS / self.FILE).read_text()
        check(f"{self.NAME} does not pass on who a client says to be", text.count(f"\n{self.REMOVAL}") == 1)
        for old, new in self.replacements(servers).items():
            if text.count(old) != 1:
                raise Wrong(f"{self.FILE} does not have one {old!r}")
            text = text.replace(old, new)
        self.configuration.write_text(text)

    def start(self):
        with (self.folder / f"{self.NAME}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(f"{self.NAME} serves", lambda: is_listening(self.port), self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=TIMEOUT)


class Nginx(Proxy):
    NAME, FILE = "nginx", "nginx.conf"
    REMOVAL = '        grpc_set_header x-forwarded-client-cert "";'

    def replacements(self, servers):
        line = "server 127.0.0.1:50051 max_fails=1 fail_timeout=2s;"
        temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        return {
            line: " ".join(line.replace("50051", str(server.port)) for server in servers),
            "http {\n": "http {\n" + "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in temporary),
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "/etc/nginx/contentd.crt": f"{self.folder}/certificate",
            "/etc/nginx/contentd.key": f"{self.folder}/key",
            "/run/nginx.pid": f"{self.folder}/nginx.pid",
            "/var/log/nginx/error.log": f"{self.folder}/nginx-errors.log",
        }

    def command(self):
        errors = self.folder / "nginx-errors.log"
        return [self.NAME, "-e", errors, "-c", self.configuration, "-g", "daemon off;"]


class HAProxy(Proxy):
    NAME, FILE = "haproxy", "haproxy.cfg"
    REMOVAL = "    http-request del-header x-forwarded-client-cert"

    def replacements(self, servers):
        line = "server contentd1 127.0.0.1:50051"
        return {
            line: "\n    ".join(f"server contentd{server.port} 127.0.0.1:{server.port}" for server in servers),
            "bind :443 ": f"bind 127.0.0.1:{self.port} ",
            "/etc/haproxy/contentd.pem": f"{self.folder}/both",
        }

    def command(self):
        return [self.NAME, "-db", "-f", self.configuration]


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-keyout", folder / "key", "-out", folder / "certificate"],
        check=True,
        capture_output=True,
    )
    (folder / "both").write_bytes((folder / "certificate").read_bytes() + (folder / "key").read_bytes())
    return (folder / "certificate").read_bytes()


# Attacks.


def family(pid):
    """The process and its children."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


def resident_bytes(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


class Growth:
    """How much memory processes take while the context lasts, at its peak, over what they had at its start."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        self.before = self.peak = resident_bytes(self.pids)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(0.02):
            self.peak = max(self.peak, resident_bytes(self.pids))

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.bytes = self.peak - self.before


@dataclasses.dataclass
class Reads:
    """What the canary saw."""

    count: int = 0
    failures: list = dataclasses.field(default_factory=list)
    slowest: float = 0


def read_all_the_time(port, certificate, asked):
    """The canary: reads 20 times a second, and reports when it is asked, until the other end is closed."""
    service = Service(port, certificate)
    reads = Reads()
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            if asked.poll(0.05):
                asked.recv()
                asked.send(reads)
                reads = Reads()
            start = time.monotonic()
            reads.count += 1
            try:
                service.get()
            except grpc.RpcError as error:
                reads.failures.append(f"{error.code()} {error.details()}")
            reads.slowest = max(reads.slowest, time.monotonic() - start)


class Canary:
    """An honest client in a process of its own."""

    def __init__(self, port, certificate):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=read_all_the_time, args=(port, certificate, other), daemon=True)
        self.process.start()
        other.close()

    def reads(self):
        """The reads since this was last called."""
        self.connection.send(None)
        return self.connection.recv()

    def stop(self):
        self.connection.close()
        self.process.join()


def refuses_gzip(service):
    try:
        service.get(compression=grpc.Compression.Gzip)
    except grpc.RpcError as error:
        return error.code() == grpc.StatusCode.UNIMPLEMENTED
    return False


def attack(proxy, servers, service, canary):
    """Runs all attacks; returns what was wrong."""
    wrongs = []
    is_bomb_refused = refuses_gzip(service)
    print(f"\n{proxy.NAME}: growth in MiB of the proxy and the servers; honest reads, failed, slowest in ms; seconds")
    for number, name in enumerate(function.__name__ for function in attacks.ATTACKS):
        # Proxies pass a bomb on; the server has to refuse it.
        is_required = name != "gzip_bomb" or is_bomb_refused
        canary.reads()
        start = time.monotonic()
        with Growth(family(proxy.process.pid)) as of_proxy, Growth([s.process.pid for s in servers]) as of_servers:
            command = [sys.executable, HERE / "attacks.py", name, str(proxy.port), f"127.0.1.{number + 1}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            reads = canary.reads()
        seconds = time.monotonic() - start
        print(
            f"{name:26}{of_proxy.bytes / MIB:7.1f}{of_servers.bytes / MIB:7.1f}"
            f"{reads.count:7}{len(reads.failures):5}{reads.slowest * 1000:7.0f}{seconds:7.1f}"
            f"   sent {done.stdout.strip()}",
            flush=True,
        )
        if done.returncode != 0:
            wrongs.append(f"{name} did not run: {done.stderr[-2000:]}")
        if reads.failures and is_required:
            wrongs.append(f"{name}: {len(reads.failures)} honest reads failed, first: {reads.failures[0]}")
        if reads.count == 0:
            wrongs.append(f"{name}: there was no honest read")
        if of_proxy.bytes > GROWTH_LIMIT:
            wrongs.append(f"{name}: {proxy.NAME} grew by {of_proxy.bytes / MIB:.0f} MiB")
        if of_servers.bytes > GROWTH_LIMIT and is_required:
            wrongs.append(f"{name}: the servers grew by {of_servers.bytes / MIB:.0f} MiB")
    return wrongs


# An honest session.


def refusal(call):
    """The code of the error that a call ends with, and the reasons in google.rpc's details."""
    try:
        call()
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
        reasons = []
        for detail in status_pb2.Status.FromString(details).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                reasons.append(info.reason)
        return error.code(), reasons
    return grpc.StatusCode.OK, []


def use(service):
    check("a read", service.get().name == ARTICLE)
    check(
        "an error has its details",
        refusal(lambda: service.get("articles/none")) == (grpc.StatusCode.NOT_FOUND, ["ARTICLE_NOT_FOUND"]),
    )
    listed = service.ListArticles(
        content_service.ListArticlesRequest(page_size=100, view=article.ARTICLE_VIEW_FULL), timeout=TIMEOUT
    )
    check("an answer of 3 MiB", listed.ByteSize() > 2 * MIB)
    code, reasons = refusal(lambda: service.publish("articles/large", "x" * (4 * MIB - 1000)))
    check(
        "a request of almost 4 MiB reaches the server, which refuses the article",
        (code, reasons) == (grpc.StatusCode.INVALID_ARGUMENT, ["INVALID_REQUEST"]),
    )
    code, _ = refusal(lambda: service.publish("articles/large", "x" * (4 * MIB + 1000)))
    check("a request over 4 MiB is refused", code == grpc.StatusCode.RESOURCE_EXHAUSTED)
    code, _ = refusal(lambda: service.comment("x" * (200 << 10)))
    # HAProxy also cancels the call, and the client tells of what it sees first.
    check(
        "a request to ContentService of 200 KiB is refused",
        code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED),
    )
    unknown = service.channel.unary_unary("/content.v1.ContentService2/Unknown")
    check(
        "what is not meant for clients is refused",
        refusal(lambda: unknown(b"", timeout=TIMEOUT)) == (grpc.StatusCode.UNIMPLEMENTED, []),
    )


class Watch:
    """A watch of comments that is open while other things happen."""

    def __init__(self, service):
        self.bodies = queue.Queue()
        request = content_service.WatchCommentsRequest(parent=ARTICLE, after_revision=service.get().revision)
        self.call = service.WatchComments(request)
        threading.Thread(target=self.receive, daemon=True).start()

    def receive(self):
        try:
            for answer in self.call:
                for changed in answer.comments:
                    self.bodies.put(changed.body)
        except grpc.RpcError as error:
            self.bodies.put(f"{error.code()} {error.details()}")

    def next(self):
        return self.bodies.get(timeout=TIMEOUT)


class Load:
    """Readers, whose calls must not fail, and writers, who repeat their calls until they succeed."""

    def __init__(self, port, certificate):
        self.done = threading.Event()
        self.lock = threading.Lock()
        self.reads, self.failures, self.written, self.repeated = 0, [], 0, 0
        self.threads = [
            threading.Thread(target=run, args=(Service(port, certificate),))
            for run in (self.read, self.read, self.read, self.write, self.write)
        ]
        for thread in self.threads:
            thread.start()

    def read(self, service):
        while not self.done.wait(0.005):
            try:
                service.get(timeout=TIMEOUT)
            except grpc.RpcError as error:
                self.failures.append(f"{error.code()} {error.details()}")
            with self.lock:
                self.reads += 1

    def write(self, service):
        while not self.done.wait(0.01):
            request_id = str(uuid.uuid4())
            while True:
                try:
                    service.comment("A comment.", request_id)
                    break
                except grpc.RpcError as error:
                    if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                        self.failures.append(f"a write: {error.code()} {error.details()}")
                        break
                with self.lock:
                    self.repeated += 1
            with self.lock:
                self.written += 1

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def restart_under_load(proxy, server, service, certificate):
    before = service.get(timeout=TIMEOUT).comment_count
    load = Load(proxy.port, certificate)
    time.sleep(0.5)
    server.stop()
    server.start()
    time.sleep(2.5)  # The proxy uses it again.
    load.stop()
    added = service.get(timeout=TIMEOUT).comment_count - before
    print(
        f"restart: {load.reads} reads, {load.written} comments, {load.repeated} of their calls repeated, "
        f"{len(load.failures)} failures {load.failures[:1]}"
    )
    check("the restart of a server fails no call", load.reads > 0 and not load.failures)
    check("and every comment is there once", added == load.written > 0)


def fill(service):
    """Publishes what the test reads."""
    service.publish(ARTICLE, "Read all the time.")
    for number in range(4):
        service.publish(f"articles/long-{number}", ("word " * 2000 + "\n\n") * 95)


def check_proxy(proxy, servers, certificate):
    proxy.start()
    try:
        service = Service(proxy.port, certificate)
        fill(service)
        watch = Watch(service)
        canary = Canary(proxy.port, certificate)
        try:
            wait_until("the canary reads", lambda: canary.reads().count > 0)
            wrongs = attack(proxy, servers, service, canary)
        finally:
            canary.stop()
        if wrongs:
            raise Wrong("\n".join(wrongs))
        check(
            "AdminService is closed to others than operators",
            refusal(lambda: service.get(attacks.FOREIGN_ARTICLE)) == (grpc.StatusCode.NOT_FOUND, ["ARTICLE_NOT_FOUND"]),
        )
        service.comment("Is somebody there?")
        check("a watch that was open during the attacks gets a change", watch.next() == "Is somebody there?")
        watch.call.cancel()
        use(service)
        restart_under_load(proxy, servers[1], service, certificate)
    finally:
        proxy.stop()


def main(program):
    proxies = [kind for kind in (Nginx, HAProxy) if shutil.which(kind.NAME)]
    for kind in (Nginx, HAProxy):
        if kind not in proxies:
            print(f"skipped: {kind.NAME} is missing")
    if not proxies:
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="contentd-proxies-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # the database runs as another user than root
        certificate = make_certificate(folder)
        for kind in proxies:
            # New servers: those that were attacked before would reuse the memory that they took.
            with running_servers(program, folder) as servers:
                check_proxy(kind(folder, servers), servers, certificate)


if __name__ == "__main__":
    main(sys.argv[1])
