"""Holds every query of the rules and of the dashboard against a live server: check.py CONTENTD"""

import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import grpc
from content.v1 import admin_service_pb2 as admin_service
from content.v1 import article_pb2 as article
from content.v1 import comment_pb2 as comment
from content.v1 import content_service_pb2 as content_service

DEPLOY = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy"
TIMEOUT = 30  # seconds
LOAD_SECONDS = 20

# What a server has only with a standby.
WITHOUT_SERIES = {"contentd_replication_lag_seconds"}

POLICY = """
roles:
  most:
    methods: [content.v1.ContentService/*, content.v1.AdminService/PublishArticle, grpc.health.v1.Health/*]
  searcher:
    methods: [content.v1.AdminService/ListAuditEvents]
    calls_per_second: 1
callers:
  anonymous: [most, searcher]
"""


class Wrong(Exception):
    """A query, or what it asks, is wrong."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url, **form):
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(url, data, TIMEOUT) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def wait_until(what, is_true, process):
    end = time.monotonic() + TIMEOUT
    while True:
        with contextlib.suppress(OSError):
            if is_true():
                return
        if time.monotonic() > end or process.poll() is not None:
            raise Wrong(f"not in time: {what}")
        time.sleep(0.1)


@contextlib.contextmanager
def running(what, command, log, is_ready):
    """A program while the context lasts."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_until(what, is_ready, process)
        yield
    except Wrong:
        print(log.read_text()[-4000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT)


# The load.


class Client:
    """Calls by name. The answer is None for a call that fails, which some should."""

    def __init__(self, port, certificate):
        self.channel = grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(certificate))

    def call(self, messages, service, name, /, timeout=TIMEOUT, **fields):
        method = self.channel.unary_unary(
            f"/content.v1.{service}/{name}",
            request_serializer=getattr(messages, f"{name}Request").SerializeToString,
            response_deserializer=getattr(messages, f"{name}Response").FromString,
        )
        try:
            return method(getattr(messages, f"{name}Request")(**fields), timeout=timeout)
        except grpc.RpcError:
            return None

    def content(self, name, /, **fields):
        return self.call(content_service, "ContentService", name, **fields)

    def admin(self, name, /, **fields):
        return self.call(admin_service, "AdminService", name, **fields)

    def watch(self, name, /, **fields):
        """Reads a watch until it ends, on a thread of its own."""
        method = self.channel.unary_stream(
            f"/content.v1.ContentService/{name}",
            request_serializer=getattr(content_service, f"{name}Request").SerializeToString,
            response_deserializer=getattr(content_service, f"{name}Response").FromString,
        )
        stream = method(getattr(content_service, f"{name}Request")(**fields))

        def read():
            with contextlib.suppress(grpc.RpcError):
                for _ in stream:
                    pass

        threading.Thread(target=read, daemon=True).start()

    def publish(self, name):
        published = article.Article(name=name, title="An article", language_code="en", body="Words. " * 200)
        if not self.admin("PublishArticle", article=published):
            raise Wrong(f"{name} cannot be published")

    def write_comment(self, parent):
        author = comment.CommentAuthor(id="reader", display_name="A Reader")
        self.content("CreateComment", parent=parent, comment=comment.Comment(author=author, body="A comment."))


def load(client):
    """Reads, writes and watches, and makes mistakes."""
    names = [f"articles/number-{number}" for number in range(20)]
    for name in names:
        client.publish(name)
    client.watch("WatchComments", parent=names[0])
    client.watch("WatchArticles")
    end = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < end:
        for name in names:
            client.content("GetArticle", name=name)
        client.content("GetArticlePage", name=names[1])
        client.content("ListComments", parent=names[0])
        client.content("ListArticles", page_size=10)
        client.content("SearchArticles", query="words")
        client.write_comment(names[0])
        client.write_comment("articles/not-there")
        client.content("GetArticle", name="no name")
        client.content("GetArticle", name="articles/not-there")
        client.content("ListArticles", timeout=0.0001)
        client.admin("GetServerInfo")  # Not allowed.
        client.admin("ListAuditEvents")  # Too often.
        client.publish(names[2])


# The queries.

TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<duration>\[[^\]]*\])|(?P<labels>\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})"""
    r"""|(?P<number>\d[\w.]*)|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?P<other>\S)"""
)
MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"')
TAKE_LABELS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = TAKE_LABELS | {"and", "or", "unless", "bool", "offset", "inf", "nan"}


def read_query(query):
    """Returns the metrics of a query, each with the labels of its selectors; the labels by which it
    groups; and those that label_replace may make."""
    tokens = [(match.lastgroup, match.group()) for match in TOKEN.finditer(query)]
    metrics, grouped, made, position = {}, set(), set(), 0
    while position < len(tokens):
        kind, text = tokens[position]
        following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        if kind == "string" and re.fullmatch(r'"\w+"', text):
            made.add(text.strip('"'))
        elif kind == "name" and text in TAKE_LABELS and following == "(":
            while tokens[position][1] != ")":
                position += 1
                if tokens[position][0] == "name":
                    grouped.add(tokens[position][1])
        elif kind == "name" and text not in OPERATORS and following != "(" and not is_aggregation(tokens, position):
            labels = metrics.setdefault(text, set())
            if following.startswith("{"):
                labels.update(MATCHER.findall(following))
        position += 1
    return metrics, grouped, made


def is_aggregation(tokens, position):
    """Whether a name is that of an aggregation: `sum by (...) (...)`."""
    return position + 1 < len(tokens) and tokens[position + 1][1] in ("by", "without")


def queries_of_rules(rules):
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["name"], rule["query"]


def queries_of_dashboard(dashboard):
    def filled_in(query):
        return query.replace("$__rate_interval", "1m").replace("$job", "contentd").replace("$instance", ".*")

    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], filled_in(annotation["expr"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            yield f"${variable['name']}", filled_in(f"count by ({label}) ({metric})")
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], filled_in(target["expr"])


def check_structure(dashboard):
    """What Grafana would not show as it should; there is no Grafana here to ask."""
    wrongs, ids, taken = [], set(), set()
    for panel in dashboard["panels"]:
        place = f"dashboard, panel {panel['title']}"
        position = panel["gridPos"]
        columns = range(position["x"], position["x"] + position["w"])
        cells = {(x, y) for x in columns for y in range(position["y"], position["y"] + position["h"])}
        if panel["id"] in ids or cells & taken or columns.stop > 24:
            wrongs.append(f"{place}: its id or its place is another's")
        ids.add(panel["id"])
        taken |= cells
        if panel["type"] == "row":
            continue
        if panel["type"] not in ("timeseries", "stat", "table"):
            wrongs.append(f"{place}: the type {panel['type']}")
        if not panel["description"] or panel["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
            wrongs.append(f"{place}: no description, or a data source of its own")
        if panel["type"] != "table" and "unit" not in panel["fieldConfig"]["defaults"]:
            wrongs.append(f"{place}: no unit")
        names = [target["refId"] for target in panel["targets"]]
        if not names or len(names) != len(set(names)):
            wrongs.append(f"{place}: no target, or two of a name")
    return wrongs


class Prometheus:
    """What the running Prometheus, and the server that it asks, have."""

    def __init__(self, url, server_metrics):
        self.url = url
        # Of a family that has no member yet, only the type is there.
        self.families = set()
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", server_metrics, re.MULTILINE):
            self.families.add(name)
            if kind == "histogram":
                self.families.update(f"{name}_{part}" for part in ("bucket", "count", "sum"))

    def get(self, path, **form):
        answer = json.loads(fetch(f"{self.url}/api/v1/{path}", **form))
        if answer["status"] != "success":
            raise Wrong(answer["error"])
        return answer["data"]

    def labels_of(self, metric):
        """The labels of all series of a metric; None if there is no series."""
        series = self.get("series", **{"match[]": metric})
        return set().union(*series) if series else None

    def check(self, query):
        """Throws Wrong if a metric or a label of the query is not there."""
        metrics, grouped, made = read_query(query)
        known, is_complete = set(made), True
        for metric, labels in metrics.items():
            if metric == "ALERTS":
                continue
            there = self.labels_of(metric)
            if there is None:
                if metric not in self.families:
                    raise Wrong(f"there is no {metric}")
                if metric not in WITHOUT_SERIES:
                    raise Wrong(f"{metric} has no series")
                is_complete = False
                continue
            if labels - there:
                raise Wrong(f"{metric} has no label {', '.join(labels - there)}, but {', '.join(there)}")
            known |= there
        if is_complete and grouped - known:
            raise Wrong(f"no metric has the label {', '.join(grouped - known)}")


def shown(data):
    """A line of an answer."""
    if data["resultType"] == "scalar":
        return data["result"][1]
    values = []
    for sample in data["result"]:
        labels = [value for name, value in sorted(sample["metric"].items()) if name not in ("__name__", "job", "instance")]
        values.append(f"{','.join(labels)}={float(sample['value'][1]):.4g}")
    return " ".join(values) or "(none)"


def check_queries(prometheus):
    """Asks all queries; returns what was wrong."""
    dashboard = json.loads((DEPLOY / "grafana" / "contentd.json").read_text())
    queries_of = {
        "rules": list(queries_of_rules(prometheus.get("rules"))),
        "dashboard": list(queries_of_dashboard(dashboard)),
    }
    wrongs, asked, empty = check_structure(dashboard), 0, 0
    for place, queries in queries_of.items():
        asked += len(queries)
        print(f"\n{place}: {len(queries)} queries")
        for name, query in queries:
            try:
                answer = shown(prometheus.get("query", query=query))
                prometheus.check(query)
            except Wrong as wrong:
                wrongs.append(f"{place}, {name}: {wrong}\n  {query}")
                answer = f"WRONG: {wrong}"
            empty += answer == "(none)"
            print(f"{name:42.42} {' '.join(query.split()):80.80} {answer:.100}")
    print(f"\n{asked} queries, {len(wrongs)} wrong, {empty} without a value now")
    return wrongs


def check_metrics(text):
    """What promtool says against the metrics themselves."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f"promtool check metrics: {done.stdout}{done.stderr}"]


# The programs.


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-keyout", folder / "server.key", "-out", folder / "server.pem"],
        check=True,
        capture_output=True,
    )
    return (folder / "server.pem").read_bytes()


def server_command(program, folder, port, http_port):
    (folder / "policy.yaml").write_text(POLICY)
    return [program, "serve", "--listen", f"localhost:{port}", "--http-listen", f"127.0.0.1:{http_port}"] + [
        *("--data-dir", folder / "database", "--policy-file", folder / "policy.yaml"),
        *("--tls-cert-file", folder / "server.pem", "--tls-key-file", folder / "server.key"),
    ]


def prometheus_command(folder, port, http_port):
    """With the files of deploy/prometheus, but for the times, and where the server is."""
    for name, changes in {
        "prometheus.yml": {"15s": "1s", "30s": "1s", "127.0.0.1:9464": f"127.0.0.1:{http_port}"},
        "contentd.rules.yml": {"interval: 30s": "interval: 1s"},
    }.items():
        text = (DEPLOY / "prometheus" / name).read_text()
        for old, new in changes.items():
            if old not in text:
                raise Wrong(f"deploy/prometheus/{name} has no {old}")
            text = text.replace(old, new)
        (folder / name).write_text(text)
    return ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus"] + [
        f"--web.listen-address=127.0.0.1:{port}"
    ]


def main(program):
    with tempfile.TemporaryDirectory(prefix="contentd-observability-") as name, contextlib.ExitStack() as programs:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # The database runs as another user than root.
        certificate = make_certificate(folder)
        port, http_port, prometheus_port = free_port(), free_port(), free_port()
        server_url, prometheus_url = f"http://127.0.0.1:{http_port}", f"http://127.0.0.1:{prometheus_port}"
        command = server_command(program, folder, port, http_port)
        is_serving = lambda: "contentd_ready 1" in fetch(f"{server_url}/metrics")
        programs.enter_context(running("contentd serves", command, folder / "contentd.log", is_serving))
        command = prometheus_command(folder, prometheus_port, http_port)
        is_ready = lambda: "Ready" in fetch(f"{prometheus_url}/-/ready")
        programs.enter_context(running("prometheus runs", command, folder / "prometheus.log", is_ready))
        load(Client(port, certificate))
        metrics = fetch(f"{server_url}/metrics")
        wrongs = check_queries(Prometheus(prometheus_url, metrics)) + check_metrics(metrics)
    if wrongs:
        sys.exit("WRONG:\n" + "\n".join(wrongs))


if __name__ == "__main__":
    main(sys.argv[1])
