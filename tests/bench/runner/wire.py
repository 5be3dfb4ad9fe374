"""The few requests and answers that the runner itself reads and writes, as protobuf has them on the
wire. Fields are known by their numbers in proto/content/v1."""

import struct

VIEW_FULL = 2

ARTICLE_NAME, ARTICLE_BODY, ARTICLE_REVISION, _ARTICLE_ETAG = 1, 8, 15, 16
_COMMENT_ETAG = 12


def _varint(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _field(number, value):
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def get_article(name):
    return _field(1, f"articles/{name}".encode()) + _field(2, VIEW_FULL)


def list_comments(name):
    """Their first page, of 25."""
    return _field(1, f"articles/{name}".encode())


def frame(message):
    """A message as gRPC sends it."""
    return b"\0" + struct.pack(">I", len(message)) + message


def unframe(data):
    if len(data) < 5 or data[0] != 0 or struct.unpack(">I", data[1:5])[0] != len(data) - 5:
        raise ValueError(f"{len(data)} bytes that are no answer")
    return data[5:]


def _take_varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(message):
    """All values of a message by their field's number: numbers, and bytes."""
    found, at = {}, 0
    while at < len(message):
        tag, at = _take_varint(message, at)
        value, at = _take_varint(message, at)
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        elif tag & 7 != 0:
            raise ValueError(f"field {tag >> 3} is of a type that the contract does not have")
        found.setdefault(tag >> 3, []).append(value)
    return found


def article(answer):
    """The fields of the article in a GetArticleResponse but for the etag, which every server writes
    in its own way."""
    return _without(_ARTICLE_ETAG, fields(answer)[1][0])


def comments(answer):
    """The fields of each comment in a ListCommentsResponse, likewise."""
    return [_without(_COMMENT_ETAG, comment) for comment in fields(answer).get(1, [])]


def _without(number, message):
    return {key: values for key, values in fields(message).items() if key != number}
