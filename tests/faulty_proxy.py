"""A proxy on 127.0.0.1 before a real server, which misbehaves by rule: what networks do to requests and answers."""

import contextlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Mode = Literal[
    "pass",
    "hang",  # the request is read, and never answered
    "slow",  # `seconds` late
    "drip",  # a byte of the answer every `seconds`
    "status",  # answered with `code`, and with `retry_after`
    "html",  # the page of a portal, with `code` or 200
    "empty",  # 200, and nothing more
    "json",  # 200 and {"status": "ok"}: a portal that speaks JSON
    "redirect",  # sent elsewhere: `to`
    "drop_request",  # closed after `bytes` of its body
    "truncate",  # done, and only `bytes` of the answer sent
    "dup",  # done twice, answered once
    "exec_then_status",  # done, and answered with `code`
    "exec_then_drop",  # done, and closed without an answer
]
PAGE = b"<html><body>Welcome! Accept the terms to go on.</body></html>"
OF_A_CONNECTION = ("host", "transfer-encoding", "content-length", "connection", "accept-encoding", "content-encoding")


@dataclass
class Rule:
    """What happens to requests whose "METHOD /path" contains the pattern `match`.

    times: how many of them (None: all); skip: how many are let through before.
    """

    mode: Mode
    match: str = "."
    times: int | None = None
    skip: int = 0
    code: int = 0
    seconds: float = 0.0
    bytes: int = 10
    retry_after: int | None = None
    to: str = ""

    def applies(self, line: str) -> bool:
        """Whether it is this request's turn; counts it."""
        if not re.search(self.match, line):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return self.times is None or self.times >= 0


class FaultyProxy:
    """At `url`, before the server on `port`. seen: the mode and "METHOD /path" of each request."""

    def __init__(self, port: int) -> None:
        self.port, self.seen = port, list[str]()
        self._rules, self._lock, self._released = list[Rule](), threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def obey(self, rules: Sequence[Rule]) -> None:
        """From now on, these rules; the first that applies counts. What hangs is let go."""
        with self._lock:
            self._rules = [replace(rule) for rule in rules]
            self._released.set()
            self._released = threading.Event()

    def rule_for(self, line: str) -> Rule:
        with self._lock:
            rule = next((rule for rule in self._rules if rule.applies(line)), Rule("pass"))
            self.seen.append(f"{rule.mode} {line}")
            return rule

    def hang(self, seconds: float) -> None:
        self._released.wait(seconds or 600)

    @contextlib.contextmanager
    def running(self) -> Iterator["FaultyProxy"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.obey([])
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def log_message(self, *_: object) -> None:
        """The proxy notes requests itself."""

    def handle_request(self) -> None:
        line = f"{self.command} {self.path}"
        rule = self.proxy.rule_for(line)
        with contextlib.suppress(OSError):  # the client has gone
            if rule.mode == "drop_request":
                self.rfile.read(min(rule.bytes, self._length()))
                self._close()
                return
            body = self._body()
            if rule.mode == "hang":
                self.proxy.hang(rule.seconds)
                self._close()
                return
            if rule.mode == "slow":
                time.sleep(rule.seconds)
            if not self._answered_alone(rule):
                self._answer_of_the_server(rule, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_request

    def _answered_alone(self, rule: Rule) -> bool:
        """Answer without asking the server; False where it has to be asked."""
        match rule.mode:
            case "status":
                after = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
                self._answer(rule.code, {"Content-Type": "text/plain", **after}, b"Bad gateway")
            case "html":
                self._answer(rule.code or 200, {"Content-Type": "text/html"}, PAGE)
            case "empty":
                self._answer(200, {}, b"")
            case "json":
                self._answer(200, {"Content-Type": "application/json"}, b'{"status": "ok"}')
            case "redirect":
                self._answer(302, {"Location": rule.to}, b"")
            case _:
                return False
        return True

    def _answer_of_the_server(self, rule: Rule, body: bytes) -> None:
        for _ in range(2 if rule.mode == "dup" else 1):
            status, headers, data = self._forward(body)
        match rule.mode:
            case "exec_then_status":
                self._answer(rule.code, {"Content-Type": "text/plain"}, b"upstream timed out")
            case "exec_then_drop":
                self._close()
            case "truncate":
                self._answer(status, headers, data[: rule.bytes], len(data))
                self._close()
            case "drip":
                self._answer(status, headers, b"", len(data))
                for byte in data:
                    self.proxy.hang(rule.seconds)
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            case _:
                self._answer(status, headers, data)

    def _length(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(self._length())
        parts = list[bytes]()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of the server's answer."""
        headers = {name: text for name, text in self.headers.items() if name.lower() not in OF_A_CONNECTION}
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=120)
        try:
            connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], data: bytes, length: int | None = None) -> None:
        """length: what the headers say, where it is not that of the data."""
        self.send_response_only(status)
        for name, text in headers.items():
            if name.lower() not in OF_A_CONNECTION:
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _close(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
