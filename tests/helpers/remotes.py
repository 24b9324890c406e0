"""Places on this machine that DVC can share results through: a folder, an HTTP and an S3 server."""

import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


@dataclass(frozen=True)
class Remote:
    """What `dvc remote add` and `dvc remote modify` are told."""

    url: str
    settings: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def remote(kind: str, folder: Path) -> Iterator[Remote]:
    """`local`, `http` or `s3`; the first two keep their files in `folder`."""
    if kind == "http":
        with _http(folder) as url:
            yield Remote(url, {"method": "PUT"})
    elif kind == "s3":
        with _s3() as url:
            yield Remote("s3://results/mdrnets", {"endpointurl": url})
    else:
        yield Remote(str(folder))


class _Files(SimpleHTTPRequestHandler):
    """GET and HEAD as Python has them, and PUT."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        path = Path(self.translate_path(self.path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(self._chunks()))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _chunks(self) -> Iterator[bytes]:
        """The body; DVC sends it in chunks (`Transfer-Encoding: chunked`)."""
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def _http(folder: Path) -> Iterator[str]:
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def _s3() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(urllib.request.Request(f"{url}/results", method="PUT")).close()
    yield url
    server.stop()
