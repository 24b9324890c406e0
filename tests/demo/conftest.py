"""A demo of toys, of which one data set is trained, and its server."""

import base64
import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mdrnets.config.load import load_config
from mdrnets.data.png import encode_png
from mdrnets.demo.methods import Demo
from mdrnets.demo.server import DemoServer
from tests.helpers.trained_toys import write_trained_toys

WIDTH, HEIGHT = 70, 50


class Client:
    """Sends requests to a server as a browser does."""

    def __init__(self, server: DemoServer) -> None:
        self.port = server.server_port

    def send(
        self, method: str, address: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, address, body, names)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def get(self, address: str, **headers: str) -> tuple[int, bytes]:
        return self.send("GET", address, **headers)

    def post(self, address: str, value: Any, **headers: str) -> tuple[int, bytes]:
        headers = {"Content_Type": "application/json"} | headers
        return self.send("POST", address, json.dumps(value).encode(), **headers)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_trained_toys(tmp_path)
    return tmp_path


@pytest.fixture
def server(project: Path) -> Iterator[DemoServer]:
    demo = Demo(load_config())
    with DemoServer(demo, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    demo.close()


@pytest.fixture
def client(server: DemoServer) -> Client:
    return Client(server)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def hole() -> np.ndarray:
    hole = np.zeros((HEIGHT, WIDTH), dtype=bool)
    hole[20:31, 25:40] = True
    return hole


@pytest.fixture
def task(pixels: np.ndarray, hole: np.ndarray) -> dict[str, Any]:
    """What the page sends."""
    return {
        "dataset": "one",
        "picture": encode(pixels),
        "hole": encode(np.repeat(255 * hole.astype(np.uint8)[..., None], 3, axis=-1)),
        "square": {"left": 10, "top": 5, "side": 40},
        "seed": 3,
    }


def encode(pixels: np.ndarray) -> str:
    """A PNG in base64."""
    return base64.b64encode(encode_png(pixels)).decode("ascii")
