"""An HTTP server on the loopback interface that behaves as well, or as badly, as it is told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

QUOTA = (
    "<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>Too many users have …</html>"
)
FORM = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<form id="download-form" action="/download" method="get">
<input type="hidden" name="id" value="ID &amp; more">
<input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="1-2">
<input type="submit" value="Download anyway"></form></body></html>"""


class Handler(BaseHTTPRequestHandler):
    """Hands each request to what the test said of its path."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.requests.append((path, dict(self.headers)))
        self.server.routes.get(path, missing)(self)

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send headers (`_` stands for `-`) and a body of known length."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Route = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    """Attributes: routes: what to do, by path; requests: paths and headers that came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes: dict[str, Route] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self, path: str) -> list[str | None]:
        """The ranges that were asked for."""
        return [headers.get("Range") for at, headers in self.requests if at == path]


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def missing(handler: Handler) -> None:
    handler.answer(404, b"no such file", Content_Type="text/plain")


@dataclass
class File:
    """A file with ranges and a tag.

    Attributes:
        drops: how many bytes are sent before the connection breaks, one for each of the first
            requests.
        tag: None: the server names no version.
        ranges: whether the server knows ranges.
        says_length: whether it says how long the answer is; else it ends by closing.
    """

    data: bytes
    drops: list[int] = field(default_factory=list)
    tag: str | None = '"first"'
    ranges: bool = True
    says_length: bool = True

    def __call__(self, handler: Handler) -> None:
        start = self._start(handler)
        if start >= len(self.data) > 0:
            handler.answer(416, Content_Range=f"bytes */{len(self.data)}")
            return
        body = self.data[start:]
        handler.send_response(206 if start else 200)
        if start:
            end = len(self.data) - 1
            handler.send_header("Content-Range", f"bytes {start}-{end}/{len(self.data)}")
        if self.tag:
            handler.send_header("ETag", self.tag)
        if self.says_length:
            handler.send_header("Content-Length", str(len(body)))
        else:
            handler.close_connection = True
        handler.end_headers()
        if self.drops:
            handler.wfile.write(body[: self.drops.pop(0)])
            handler.close_connection = True
        else:
            handler.wfile.write(body)

    def _start(self, handler: Handler) -> int:
        requested = handler.headers.get("Range")
        condition = handler.headers.get("If-Range")
        if not requested or not self.ranges or (condition and condition != self.tag):
            return 0
        return int(requested.removeprefix("bytes=").rstrip("-"))


def page(text: str, status: int = 200, content_type: str = "text/html; charset=utf-8") -> Route:
    return lambda handler: handler.answer(status, text.encode(), Content_Type=content_type)


def redirect(to: str) -> Route:
    return lambda handler: handler.answer(302, Location=to)


def in_turn(*routes: Route) -> Route:
    """Another behaviour at each request; the last one stays."""
    left = list(routes)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def google_drive(file: Route) -> Route:
    """The download address: it sends the file to who confirms, and the form to who does not."""

    def route(handler: Handler) -> None:
        expected = {"id": ["ID & more"], "export": ["download"], "confirm": ["t"], "uuid": ["1-2"]}
        (file if handler.query == expected else page(FORM))(handler)

    return route
