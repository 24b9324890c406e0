"""The server of the demo page, for the browser of this machine.

It listens on the loopback interface and answers requests that name it as their host, so that no
page of the web can reach it through a name that is made to point here (DNS rebinding). Files are
read at the start; nothing in a request is taken as a path.
"""

import json
import logging
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import HTTP_PORT
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mdrnets.config.validation import validate_options
from mdrnets.demo.methods import Demo, FaceTask, Task
from mdrnets.errors import UserError
from mdrnets.execution.ports import HOST

FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/hole.js": ("hole.js", "text/javascript; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
"""The parts of the page by address: file and type."""
MAX_REQUEST = 16 * 2**20
"""Bytes of the body of a request."""
TIMEOUT = 30.0
"""Seconds that a browser may take to send the next part of its request."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
BROWSER_GONE = (ConnectionError, TimeoutError)
FAILED = "the program has failed; its messages are where it was started"
logger = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 (a reply, not a fault of this program)
    """A request that is refused, with the status and the sentence of the reply."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class DemoServer(ThreadingHTTPServer):
    """Serves one demo on one port.

    Attributes:
        demo: what it works with.
        files: the parts of the page, by address: content and type.
    """

    daemon_threads = True  # they only wait: for browsers, and for the thread that computes

    def __init__(self, demo: Demo, port: int) -> None:
        super().__init__((HOST, port), Handler)
        self.demo = demo
        folder = resources.files("mdrnets.demo") / "page"
        self.files = {
            address: ((folder / name).read_bytes(), kind) for address, (name, kind) in FILES.items()
        }

    @property
    def hosts(self) -> set[str]:
        """The names by which a browser may call it."""
        port = "" if self.server_port == HTTP_PORT else f":{self.server_port}"
        return {f"{name}{port}" for name in (HOST, "localhost")}


class Handler(BaseHTTPRequestHandler):
    """Answers one request: a part of the page, a face, or a task."""

    server: DemoServer
    timeout = TIMEOUT

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, answer: Callable[[], None]) -> None:
        try:
            self._check_host()
            answer()
        except Refused as refused:
            self._send_error(refused.status, str(refused))
        except UserError as error:
            self._send_error(HTTPStatus.BAD_REQUEST, str(error))
        except BROWSER_GONE:
            self.close_connection = True
        except Exception:
            logger.error(traceback.format_exc())
            self._send_error(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED)

    def _check_host(self) -> None:
        """Refuse what a page of another origin sends."""
        hosts = self.server.hosts
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in hosts or (
            origin is not None and origin.removeprefix("http://") not in hosts
        ):
            raise Refused(
                HTTPStatus.FORBIDDEN, f"open http://{HOST}:{self.server.server_port}/ instead"
            )

    def _get(self) -> None:
        url = urlsplit(self.path)
        if url.path in self.server.files:
            self._send(*self.server.files[url.path])
        elif url.path == "/options":
            self._send_json(self.server.demo.describe())
        elif url.path == "/face":
            query = parse_qs(url.query)
            number = query.get("number", [""])[0]
            dataset = query.get("dataset", [""])[0]
            if not number.isdecimal():
                raise UserError(f"face: found {number!r}, expected a number")
            self._send(self.server.demo.face(dataset, int(number)), "image/png")
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "not found; reload the page")

    def _post(self) -> None:
        demo = self.server.demo
        if self.path == "/find-face":
            self._send_json(
                demo.find_face(validate_options(FaceTask, self._read(), where="request"))
            )
        elif self.path == "/complete":
            task = validate_options(Task, self._read(), where="request")
            self._stream(demo.complete(task))
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "not found; reload the page")

    def _read(self) -> Any:
        """The body of a request: JSON of a limited length."""
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length")
        if int(length) > MAX_REQUEST:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"picture: found {int(length)} bytes, expected at most {MAX_REQUEST}",
            )
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise UserError("request: not readable as JSON; reload the page") from None

    def _stream(self, outcomes: Iterable[dict[str, str]]) -> None:
        """Send each outcome as soon as it is known, as a line of JSON, and then close."""
        self._start(HTTPStatus.OK, "application/x-ndjson")
        try:
            for outcome in outcomes:
                self.wfile.write(json.dumps(outcome).encode() + b"\n")
        except BROWSER_GONE:
            raise
        except Exception:
            logger.error(traceback.format_exc())
            self.wfile.write(json.dumps({"error": FAILED}).encode() + b"\n")

    def _send_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(value).encode(), "application/json", status)

    def _send_error(self, status: HTTPStatus, sentence: str) -> None:
        self._send_json({"error": sentence}, status)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._start(status, kind, {"Content-Length": str(len(content))})
        self.wfile.write(content)

    def _start(self, status: HTTPStatus, kind: str, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind} | HEADERS | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log requests at debug level only."""
        logger.debug(format, *arguments)
