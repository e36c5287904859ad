"""A lean S3 server for benchmarks: serves a folder read-only as the bucket `bench`, and counts what it is asked for.

    python -m benchmarks.static_server FOLDER        prints its port; ends with its standard input

GET of objects and byte ranges, HEAD, and ListObjectsV2 with prefix, delimiter, start and pages of 1,000. Answers to whole
objects are put together once and kept. One thread and no framework, so that of two cores clients get most. Signatures are not looked at.
`GET /-/counts` gives requests and bytes by key since the last time.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import selectors
import socket
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

BUCKET = "bench"
_PAGE = 1_000
_READ_BYTES = 1 << 16
_WHEN = "2026-07-01T00:00:00.000Z"
_WHEN_HTTP = "Wed, 01 Jul 2026 00:00:00 GMT"


class Bucket:
    """The objects of a folder, listed once; their answers, and what was asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        paths = (path for path in folder.rglob("*") if path.is_file())
        self._sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
        self._keys = sorted(self._sizes)
        self._answers: dict[str, bytes] = {}
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def answer(self, head: bytes) -> bytes:
        """The whole answer to a request, given its first line and headers."""
        line, _, headers = head.partition(b"\r\n")
        method, target, _ = line.decode("latin-1").split(" ")
        path, _, query = target.partition("?")
        if path == "/-/counts":
            return self._told_counts()
        _, _, key = path.removeprefix("/").partition("/")
        key = unquote(key) if "%" in key else key
        if not key:
            self._count("(list)", 0)
            return self._listing(parse_qs(query, keep_blank_values=True))
        return self._object(method, key, _range_of(headers))

    def _object(self, method: str, key: str, wanted: tuple[int | None, int | None] | None) -> bytes:
        if key not in self._sizes:
            self._count(key, 0)
            return _message("404 Not Found", _NO_KEY if method == "GET" else b"", "application/xml")
        size = self._sizes[key]
        if method == "HEAD":
            self._count(key, 0)
            return _object_head("200 OK", key, size).encode() + b"\r\n"
        if wanted is not None:
            begin, end = _bounds(wanted, size)
            self._count(key, end - begin)
            with open(self._folder / key, "rb") as stream:
                stream.seek(begin)
                content = stream.read(end - begin)
            head = _object_head("206 Partial Content", key, end - begin)
            return f"{head}Content-Range: bytes {begin}-{end - 1}/{size}\r\n\r\n".encode() + content
        self._count(key, size)
        known = self._answers.get(key)
        if known is None:
            content = (self._folder / key).read_bytes()
            known = _object_head("200 OK", key, size).encode() + b"\r\n" + content
            self._answers[key] = known
        return known

    def _listing(self, query: dict[str, list[str]]) -> bytes:
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        at = max(bisect.bisect_left(self._keys, prefix), bisect.bisect_right(self._keys, after))
        entries: list[str] = []
        last = ""
        while at < len(self._keys) and self._keys[at].startswith(prefix) and len(entries) < _PAGE:
            key = self._keys[at]
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                folder = key[: cut + len(delimiter)]
                entries.append(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>")
                last = folder + "\U0010ffff"
                at = bisect.bisect_right(self._keys, last)
            else:
                entries.append(self._listed(key))
                last = key
                at += 1
        more = at < len(self._keys) and self._keys[at].startswith(prefix)
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(entries)}</KeyCount>"
            f"<MaxKeys>{_PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}"
            f"{''.join(entries)}</ListBucketResult>"
        )
        return _message("200 OK", text.encode(), "application/xml")

    def _listed(self, key: str) -> str:
        return (
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_WHEN}</LastModified>"
            f"<ETag>&quot;{_etag(key)}&quot;</ETag><Size>{self._sizes[key]}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )

    def _count(self, key: str, size_bytes: int) -> None:
        counts = self._counts[key]
        counts[0] += 1
        counts[1] += size_bytes

    def _told_counts(self) -> bytes:
        text = json.dumps(self._counts)
        self._counts.clear()
        return _message("200 OK", text.encode(), "application/json")


_NO_KEY = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


def _range_of(headers: bytes) -> tuple[int | None, int | None] | None:
    at = headers.lower().find(b"\r\nrange: bytes=")
    if at < 0 and not headers.lower().startswith(b"range: bytes="):
        return None
    value = headers[at + 2 :].partition(b"\r\n")[0].partition(b"=")[2].decode()
    first, _, last = value.partition("-")
    return (int(first) if first else None, int(last) if last else None)


def _bounds(wanted: tuple[int | None, int | None], size: int) -> tuple[int, int]:
    """Half-open; a range without a first byte is that many at the end."""
    first, last = wanted
    if first is None:
        return max(size - (last or 0), 0), size
    return first, size if last is None else min(last + 1, size)


def _etag(key: str) -> str:
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def _object_head(status: str, key: str, size: int) -> str:
    return (
        f'HTTP/1.1 {status}\r\nContent-Length: {size}\r\nETag: "{_etag(key)}"\r\nLast-Modified: {_WHEN_HTTP}\r\n'
        "Accept-Ranges: bytes\r\nContent-Type: binary/octet-stream\r\n"
    )


def _message(status: str, body: bytes, kind: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: {kind}\r\n\r\n".encode() + body


class _Connection:
    """One client's connection: what came in and is no whole request yet, what is still to be sent."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = b""
        self.waiting = b""

    def take(self, bucket: Bucket) -> bool:
        """Answer what has come; false where the client is gone."""
        try:
            data = self.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, self.received = self.received[:end], self.received[end + 4 :]
            self.waiting += bucket.answer(head)
        return self.send()

    def send(self) -> bool:
        """Send as much as the client takes now; false where it is gone."""
        try:
            while self.waiting:
                sent = self.sock.send(self.waiting)
                self.waiting = self.waiting[sent:]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def serve(folder: Path) -> None:
    """Serve until standard input ends."""
    bucket = Bucket(folder)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        print(listener.getsockname()[1], flush=True)
        while True:
            for event, _ in selector.select():
                if event.fileobj is sys.stdin:
                    return
                if event.fileobj is listener:
                    _accept(listener, selector)
                else:
                    _attend(event.data, selector, bucket)


def _accept(listener: socket.socket, selector: selectors.BaseSelector) -> None:
    sock, _ = listener.accept()
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(sock, selectors.EVENT_READ, _Connection(sock))


def _attend(connection: _Connection, selector: selectors.BaseSelector, bucket: Bucket) -> None:
    was_waiting = bool(connection.waiting)
    alive = connection.send() if was_waiting else connection.take(bucket)
    if not alive:
        selector.unregister(connection.sock)
        connection.sock.close()
    elif bool(connection.waiting) != was_waiting:
        events = selectors.EVENT_WRITE if connection.waiting else selectors.EVENT_READ
        selector.modify(connection.sock, events, connection)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
