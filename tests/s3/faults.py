"""A proxy before an S3 server that makes what can go wrong go wrong, by rules, and writes down every request.

Run as a process with the server's port as its argument; it prints its own port, and ends with its standard
input. A PUT of `{"seed": ..., "rules": [...]}` to `CONTROL` begins a new log under new rules, a GET gives the log.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
from collections import Counter
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONTROL = "/--faults--"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
_USER = "User: arn:aws:iam::111122223333:user/test is not authorized to perform:"
# Status, code and message as S3 answers: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
ERRORS = {
    "slow_down": (503, "SlowDown", "Please reduce your request rate."),
    "internal": (500, "InternalError", "We encountered an internal error. Please try again."),
    "access_denied": (403, "AccessDenied", "Access Denied"),
    "kms_denied": (
        403,
        "AccessDenied",
        f"{_USER} kms:Decrypt on resource: {KMS_KEY} because no identity-based policy allows it",
    ),
    "kms_disabled": (400, "KMS.DisabledException", f"{KMS_KEY} is disabled."),
    "expired_token": (400, "ExpiredToken", "The provided token has expired."),
    "bad_key_id": (
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    "unknown_token": (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
    "no_such_key": (404, "NoSuchKey", "The specified key does not exist."),
    "archived": (
        403,
        "InvalidObjectState",
        "The operation is not valid for the object's storage class",
    ),
}
# An answer of the right status that does not arrive as it should: cut by a reset; cut by an end of the
# connection; half of it with the length of the half; all of it with the length of the half; done and kept
# back; kept back and then done; done, and no answer at all.
TRANSFERS = ("reset", "truncated", "short", "wrong_length", "stall", "late", "lost_answer")
# No fault: a listing comes in pages of two entries, as a long one comes in pages of 1,000.
SMALL_PAGES = "small_pages"
_KEPT_HEADERS = re.compile(r"x-amz-|range|if-", re.IGNORECASE)
_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade")


@dataclass(frozen=True)
class Rule:
    """One kind of fault, and whom it strikes.

    `path` is looked for in `/bucket/key?query` (decoded), `method` must match whole. It strikes with `chance`,
    not before `after` requests that it could have struck, and at most `times` times. `ms` is for those kept back.
    """

    kind: str
    chance: float = 1.0
    method: str = ".*"
    path: str = ""
    after: int = 0
    times: int | None = None
    ms: int = 0

    def __post_init__(self) -> None:
        if self.kind not in (*ERRORS, *TRANSFERS, SMALL_PAGES):
            raise ValueError(f"there is no fault {self.kind!r}")

    def fits(self, method: str, path: str) -> bool:
        """Whether it could strike this request."""
        return re.fullmatch(self.method, method) is not None and re.search(self.path, path) is not None


@dataclass(frozen=True)
class Request:
    """One request as the proxy saw it; `fault` is empty where it was passed on as it is.

    `key` and `query` are decoded; a form, as STS takes it, counts as query. `headers` has those about S3, ranges and conditions, by lower-case names.
    `signed_by` is the access key id, `status` the one sent back, `sent_bytes` how much of the answer's body went.
    """

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    signed_by: str
    fault: str
    status: int
    sent_bytes: int

    @property
    def is_listing(self) -> bool:
        """Whether it asks what is there."""
        return self.method == "GET" and not self.key


class Faults:
    """The rules in force, and the log. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.start(0, [])

    def start(self, seed: int, rules: list[Rule]) -> None:
        """Begin anew."""
        with self._lock:
            self._random = random.Random(seed)
            self._rules = rules
            self._seen: Counter[int] = Counter()
            self._struck: Counter[int] = Counter()
            self._log: list[Request] = []

    def choose(self, method: str, path: str) -> Rule | None:
        """The first rule that strikes this request."""
        with self._lock:
            fitting = [number for number, rule in enumerate(self._rules) if rule.fits(method, path)]
            self._seen.update(fitting)
            return next((self._rules[number] for number in fitting if self._strikes(number)), None)

    def _strikes(self, number: int) -> bool:
        rule = self._rules[number]
        if self._seen[number] <= rule.after or self._random.random() >= rule.chance:
            return False
        if rule.times is not None and self._struck[number] >= rule.times:
            return False
        self._struck[number] += 1
        return True

    def note(self, request: Request) -> None:
        """Add to the log."""
        with self._lock:
            self._log.append(request)

    def log(self) -> list[Request]:
        """What came since the beginning."""
        with self._lock:
            return list(self._log)


@dataclass(frozen=True)
class Answer:
    """What is to be sent back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """Any request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == CONTROL:
            self._control(body)
            return
        path = urllib.parse.unquote(self.path)
        rule = self.server.faults.choose(self.command, path)
        kind = rule.kind if rule is not None else ""
        if rule is not None and kind == "late":
            time.sleep(rule.ms / 1000)
        answer = _error(kind, self.command, path) if kind in ERRORS else self._forward(body, kind)
        if rule is not None and kind == "stall":
            time.sleep(rule.ms / 1000)
        # The log comes first: a client that has its answer can ask for it.
        pieces, sent = self._pieces(answer, kind)
        self._note(kind, answer.status, sent, body)
        self._send(pieces, kind)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def _control(self, body: bytes) -> None:
        if self.command == "PUT":
            plan = json.loads(body)
            self.server.faults.start(plan["seed"], [Rule(**rule) for rule in plan["rules"]])
            data = b""
        else:
            data = json.dumps([asdict(request) for request in self.server.faults.log()]).encode()
        self._send(_message(Answer(200, [], data), len(data)) + data, "")

    def _forward(self, body: bytes, kind: str) -> Answer:
        is_listing = "list-type=2" in self.path
        target = f"{self.path}&max-keys=2" if kind == SMALL_PAGES and is_listing else self.path
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream_port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            upstream.request(self.command, target, body or None, {**headers, "Connection": "close"})
            response = upstream.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            upstream.close()

    def _pieces(self, answer: Answer, kind: str) -> tuple[bytes, int]:
        """The bytes to send, and how many of them are body."""
        if self.command == "HEAD":
            length = next((value for name, value in answer.headers if name.lower() == "content-length"), "0")
            return _message(answer, int(length)), 0
        size, half = len(answer.body), len(answer.body) // 2
        if kind == "lost_answer":
            return b"", 0
        length = half if kind in ("short", "wrong_length") else size
        sent = half if kind in ("reset", "truncated", "short") else size
        return _message(answer, length) + answer.body[:sent], sent

    def _send(self, data: bytes, kind: str) -> None:
        self.close_connection = kind in TRANSFERS and kind not in ("stall", "late")
        try:
            self.wfile.write(data)
        except OSError:  # the client was killed
            self.close_connection = True
        if kind in ("reset", "lost_answer"):
            self._reset()

    def _reset(self) -> None:
        """Close so that the client is told of a reset, and of no end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def _note(self, fault: str, status: int, sent_bytes: int, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            query = body.decode()
        bucket, _, key = path.removeprefix("/").partition("/")
        self.server.faults.note(
            Request(
                self.command,
                bucket,
                urllib.parse.unquote(key),
                dict(urllib.parse.parse_qsl(query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items() if _KEPT_HEADERS.match(name)},
                _signer(self.headers.get("Authorization", "")),
                fault,
                status,
                sent_bytes,
            )
        )


class Server(ThreadingHTTPServer):
    """The proxy."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream_port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream_port = upstream_port
        self.faults = Faults()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed leaves its connection as it is; everything else is worth reading."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _signer(authorization: str) -> str:
    """The access key id of a signature: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html"""
    match = re.search(r"Credential=([^/]+)/", authorization)
    return match[1] if match else ""


def _error(kind: str, method: str, path: str) -> Answer:
    status, code, message = ERRORS[kind]
    resource = path.partition("?")[0].replace("&", "&amp;").replace("<", "&lt;")
    text = (
        f"<Error><Code>{code}</Code><Message>{message}</Message><Resource>{resource}</Resource>"
        "<RequestId>4442587FB7D0A2F9</RequestId></Error>"
    )
    if (
        path == "/"
    ):  # STS, which answers so: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
        text = f"<ErrorResponse>{text}</ErrorResponse>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
    body = b"" if method == "HEAD" else text.encode()
    return Answer(
        status, [("Content-Type", "application/xml"), ("x-amz-request-id", "4442587FB7D0A2F9")], body
    )


def _message(answer: Answer, length: int) -> bytes:
    """Status line and headers; `length` is what they say of the body."""
    lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, 'Unknown')}"]
    for name, value in answer.headers:
        if name.lower() not in (*_HOP_BY_HOP, "content-length"):
            lines.append(f"{name}: {value}")
    if answer.status not in (204, 304):
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def main() -> None:
    """Serve until nobody holds the other end of standard input."""
    server = Server(int(sys.argv[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
