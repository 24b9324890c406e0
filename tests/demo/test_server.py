"""What the server of the demo answers, and what it refuses."""

import base64
import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mdrnets.config.load import load_config
from mdrnets.data.dataset import map_images
from mdrnets.demo import methods
from mdrnets.demo.methods import MAX_SIDE
from mdrnets.demo.server import FAILED, FILES, MAX_REQUEST, DemoServer
from mdrnets.evaluation import face_detection
from mdrnets.evaluation.alignment import Landmarks, align_square
from mdrnets.evaluation.completion import load_trained
from mdrnets.evaluation.photos import complete_photo
from mdrnets.evaluation.squares import Square, TurnedSquare
from tests.demo.conftest import Client, encode
from tests.helpers.project import LAYOUT, SIZE

FACE = Landmarks((29, 22), (38, 20), (32, 33), (38, 32))


def _outcomes(content: bytes) -> list[dict[str, str]]:
    return [json.loads(line) for line in content.splitlines()]


def _pixels(outcome: dict[str, str]) -> np.ndarray:
    png = base64.b64decode(outcome["picture"].removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(png)))


def _complete(
    pixels: np.ndarray, hole: np.ndarray, square: Square | TurnedSquare, *, seed: int = 3
) -> np.ndarray:
    network = load_trained(load_config(), "toy", "one")
    return next(complete_photo(network, pixels, hole, size=SIZE, square=square, seed=seed))


def test_each_trained_method_completes_as_the_command_does(
    client: Client, task: dict[str, Any], pixels: np.ndarray, hole: np.ndarray
) -> None:
    status, content = client.post("/complete", task)
    (outcome,) = _outcomes(content)
    assert status == 200 and (outcome["name"], outcome["title"]) == ("toy", "Toy")
    assert np.array_equal(_pixels(outcome), _complete(pixels, hole, Square(10, 5, 40)))
    other = client.post("/complete", task | {"seed": 4})[1]
    assert not np.array_equal(_pixels(_outcomes(other)[0]), _pixels(outcome))


def test_the_square_of_a_face_is_found_and_completed(
    client: Client,
    task: dict[str, Any],
    pixels: np.ndarray,
    hole: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(face_detection, "detector_is_installed", lambda: True)
    monkeypatch.setattr(face_detection, "detect_faces", lambda image: [FACE])
    status, content = client.post("/find-face", {key: task[key] for key in ("picture", "hole")})
    found = json.loads(content)
    assert status == 200
    assert np.abs(np.array(found["corners"]) - align_square(FACE).corners).max() < 0.1
    (outcome,) = _outcomes(client.post("/complete", task | {"square": found["square"]})[1])
    assert np.array_equal(_pixels(outcome), _complete(pixels, hole, align_square(FACE)))


def test_the_page_is_told_what_there_is(client: Client) -> None:
    (dataset,) = json.loads(client.get("/options")[1])["datasets"]  # nothing is trained on `two`
    assert dataset["methods"] == [{"name": "toy", "title": "Toy"}]
    assert (dataset["name"], dataset["faces"], dataset["untrained"]) == ("one", 5, [])


def test_a_test_face_has_the_bytes_of_the_data_set(client: Client) -> None:
    status, content = client.get("/face?dataset=one&number=1")
    assert status == 200
    expected = map_images(LAYOUT, "one")[8]  # seven images are for training
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), expected)


def test_without_images_the_page_has_no_faces_and_says_why(client: Client) -> None:
    LAYOUT.images("one").unlink()
    (dataset,) = json.loads(client.get("/options")[1])["datasets"]
    assert dataset["faces"] == 0 and str(LAYOUT.images("one")) in dataset["no_faces"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/../params.yaml", 404),
        ("/page/page.js", 404),
        ("/face?dataset=../one&number=0", 400),
        ("/face?dataset=one&number=5", 400),
        ("/face?dataset=one&number=-1", 400),
        ("/face", 400),
    ],
)
def test_nothing_else_is_served(client: Client, address: str, status: int) -> None:
    found, content = client.get(address)
    assert found == status and json.loads(content)["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:PORT"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_other_hosts_and_origins_are_refused(
    client: Client, task: dict[str, Any], headers: dict[str, str]
) -> None:
    headers = {name: text.replace("PORT", str(client.port)) for name, text in headers.items()}
    assert client.get("/", **headers)[0] == 403
    assert client.post("/complete", task, **headers)[0] == 403


def test_the_page_itself_is_no_other_origin(client: Client, task: dict[str, Any]) -> None:
    for name in ("localhost", "127.0.0.1"):
        host = f"{name}:{client.port}"
        assert client.post("/complete", task, Host=host, Origin=f"http://{host}")[0] == 200


def test_only_this_machine_is_answered(server: DemoServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"picture": "no base64"}, "picture"),
        ({"picture": base64.b64encode(b"GIF89a").decode()}, "picture"),
        ({"picture": encode(np.zeros((1, MAX_SIDE + 1, 3), dtype=np.uint8))}, "picture"),
        ({"hole": encode(np.zeros((50, 70, 3), dtype=np.uint8))}, "hole"),
        ({"hole": encode(np.zeros((50, 71, 3), dtype=np.uint8))}, "hole"),
        ({"square": None}, "photograph"),
        ({"square": {"left": 60, "top": 5, "side": 40}}, "crop"),
        ({"square": {"x": 1e9, "y": 0.0, "right_x": 1e9, "right_y": 0.0}}, "request"),
        ({"square": {"x": 9.0, "y": 9.0, "right_x": 0.0, "right_y": 0.0}}, "square"),
        ({"square": {"x": 9.0, "y": 9.0, "right_x": float("nan"), "right_y": 0.0}}, "request"),
        ({"seed": -1}, "request: seed"),
        ({"more": 1}, "request: more"),
        ({"dataset": "two"}, "profiles/tiny.yaml: datasets: two"),
    ],
)
def test_what_is_wrong_with_a_task_is_a_sentence(
    client: Client, task: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    status, content = client.post("/complete", task | changes)
    assert status == 400 and json.loads(content)["error"].startswith(named)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content_Type": "text/plain"}, 415),
        (b"{}", {"Content_Length": str(MAX_REQUEST + 1)}, 413),
        (b"{}", {"Content_Length": "-1"}, 411),
        (b"{", {}, 400),
        (b"[" * 100_000, {}, 400),
    ],
)
def test_other_bodies_are_refused(
    client: Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    headers = {"Content_Type": "application/json"} | headers
    found, content = client.send("POST", "/complete", body, **headers)
    assert found == status and json.loads(content)["error"]


def test_a_method_that_cannot_be_loaded_says_so_in_its_place(
    client: Client, task: dict[str, Any]
) -> None:
    path = LAYOUT.model_config("one", "base")
    path.unlink()
    status, content = client.post("/complete", task)
    (outcome,) = _outcomes(content)
    assert status == 200 and outcome["name"] == "toy" and str(path) in outcome["error"]


@pytest.mark.parametrize("failure", [RuntimeError("a mistake"), OSError("a mistake")])
def test_a_failure_of_the_program_is_said_and_logged(
    client: Client,
    task: dict[str, Any],
    failure: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr(methods, "complete_photo", fail)
    with caplog.at_level(logging.ERROR):
        assert _outcomes(client.post("/complete", task)[1]) == [{"error": FAILED}]
    assert "a mistake" in caplog.text


def test_a_closed_demo_ends_its_answers(
    server: DemoServer, client: Client, task: dict[str, Any]
) -> None:
    server.demo.close()
    assert client.post("/complete", task) == (200, b"")


def test_the_parts_of_the_page_name_nothing_outside(client: Client) -> None:
    for address in FILES:
        status, content = client.get(address)
        assert status == 200 and b"//" not in content.replace(b"// ", b"")


def test_nothing_is_written(client: Client, project: Path, task: dict[str, Any]) -> None:
    before = sorted(project.rglob("*"))
    assert client.post("/complete", task)[0] == 200
    assert sorted(project.rglob("*")) == before
