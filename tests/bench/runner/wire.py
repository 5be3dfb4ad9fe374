"""The few requests and answers that the runner itself writes and reads, in protobuf's wire format.
Field numbers are those in proto/content/v1."""

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
    """A request for the first page, of 25 comments."""
    return _field(1, f"articles/{name}".encode())


def frame(message):
    """Puts gRPC's prefix before a message."""
    return b"\0" + struct.pack(">I", len(message)) + message


def unframe(data):
    if len(data) < 5 or data[0] != 0 or struct.unpack(">I", data[1:5])[0] != len(data) - 5:
        raise ValueError(f"{len(data)} bytes that are not an answer")
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
    """Returns all values in a message, integers and bytes, as lists by field number."""
    found, at = {}, 0
    while at < len(message):
        tag, at = _take_varint(message, at)
        value, at = _take_varint(message, at)
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        elif tag & 7 != 0:
            raise ValueError(f"field {tag >> 3} has a wire type that the contract does not use")
        found.setdefault(tag >> 3, []).append(value)
    return found


def article(answer):
    """The fields of the article in a GetArticleResponse, without the etag, whose form differs
    between the servers."""
    return _without(_ARTICLE_ETAG, fields(answer)[1][0])


def comments(answer):
    """The fields of each comment in a ListCommentsResponse, without the etag."""
    return [_without(_COMMENT_ETAG, comment) for comment in fields(answer).get(1, [])]


def _without(number, message):
    return {key: values for key, values in fields(message).items() if key != number}
