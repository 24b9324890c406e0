"""From addresses to packed arrays, against a server on the loopback interface."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from mdrnets.data.dataset import load_training_data
from mdrnets.data.png import encode_png
from mdrnets.layout import Layout
from stages import check, download, pack, split
from tests.helpers.server import QUOTA, File, Server, google_drive, page, serving

PROJECT = Path(__file__).parents[2]
LAYOUT = Layout("remote")
SIZE = 32


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _celebamask() -> bytes:
    """Eight faces of 64², with parts of 48², laid out as CelebAMask-HQ.zip is."""
    rng = np.random.default_rng(0)
    members = {"CelebAMask-HQ/README.txt": b"terms"}
    for n in range(8):
        face = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        members[f"CelebAMask-HQ/CelebA-HQ-img/{n}.png"] = encode_png(face)
        for part, rows in (("skin", slice(0, 48)), ("hair", slice(0, 10 + n))):
            mask = np.zeros((48, 48, 3), dtype=np.uint8)
            mask[rows] = 255
            name = f"CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/{n:05}_{part}.png"
            members[name] = encode_png(mask)
    return _zip(members)


def _test_masks() -> bytes:
    """Two for each step of 10 %, white = hole."""
    members = {}
    for n in range(12):
        hole = np.roll(np.arange(1600) < 1600 * (n // 2 + 0.5) / 10, 40 * n).reshape(40, 40)
        members[f"mask/testing_mask_dataset/{n:05}.png"] = encode_png(hole.astype(np.uint8) * 255)
    return _zip(members)


def _training_masks() -> bytes:
    """Black and dark grey = hole; the last is empty."""
    members = {}
    for n in range(5):
        mask = np.full((40, 40), 255, dtype=np.uint8)
        mask[: 4 * n], mask[: 2 * n] = 100, 0
        members[f"irregular_mask/disocclusion_img_mask/{4 - n:05}.png"] = encode_png(mask)
    return _zip(members)


FILES = {
    "CelebAMask-HQ.zip": _celebamask(),
    "test_mask.zip": _test_masks(),
    "irregular_mask.zip": _training_masks(),
    "vgg16-397923af.pth": b"weights of VGG",
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.routes |= {f"/{name}": File(data) for name, data in FILES.items()}
        server.routes["/download"] = google_drive(File(FILES["CelebAMask-HQ.zip"]))
        yield server


def _profile(server: Server) -> dict[str, Any]:
    celebamask = {
        "url": server.url("/download"),
        "file": "CelebAMask-HQ.zip",
        "md5": hashlib.md5(FILES["CelebAMask-HQ.zip"]).hexdigest(),
        "licence": "non-commercial, https://example.org/terms",
        "terms": "celebamask_hq",
    }
    vgg = FILES["vgg16-397923af.pth"]
    profile = yaml.safe_load((PROJECT / "profiles" / "smoke.yaml").read_text(encoding="utf-8"))
    return profile | {
        "accepted_licences": ["celebamask_hq"],
        "sources": {
            "faces": celebamask | {"folder": "CelebA-HQ-img", "files": 8},
            "parts": celebamask | {"folder": "CelebAMask-HQ-mask-anno"},
            "test_masks": {
                "url": server.url("/test_mask.zip?dl=1"),
                "folder": "testing_mask_dataset",
                "files": 12,
                "licence": "CC",
            },
            "training_masks": {
                "url": server.url("/irregular_mask.zip"),
                "folder": ".",
                "files": 5,
                "licence": "CC",
            },
            "vgg16": {
                "kind": "weights",
                "url": server.url("/vgg16-397923af.pth"),
                "bytes": len(vgg),
                "sha256": hashlib.sha256(vgg).hexdigest(),
                "licence": "BSD",
            },
        },
        "datasets": {
            "celebahq": {
                "title": "Small",
                "published_as": "CelebA-HQ",
                "faces": "faces",
                "labels": {"source": "parts", "classes": "celebamask_parts"},
                "split": {"rule": "last", "test": 2, "validation": 1},
            }
        },
        "holes": {
            "source": "test_masks",
            "per_step": 2,
            "training": {
                "source": "training_masks",
                "polarity": "white_is_valid",
                "threshold": 0.6,
            },
            "validation": 0.5,
            "test": 0.5,
        },
    }


Change = Callable[[Callable[[dict[str, Any]], None]], None]


@pytest.fixture
def change(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Inside of a project with the profile `remote`, which this changes."""
    folder = tmp_path / "my projéct"
    (folder / "profiles").mkdir(parents=True)
    shutil.copy(PROJECT / "params.yaml", folder)
    monkeypatch.chdir(folder)
    path = Path("profiles/remote.yaml")

    def apply(edit: Callable[[dict[str, Any]], None]) -> None:
        edit(profile)
        path.write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")

    profile = _profile(server)
    apply(lambda _: None)
    return apply


def _run(stage: Any, *arguments: str) -> int:
    return stage.main([*arguments, "--profile", "remote"])


def _error(capsys: pytest.CaptureFixture[str], stage: Any, *arguments: str) -> str:
    capsys.readouterr()
    assert _run(stage, *arguments) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    return errors[0]


def test_from_addresses_to_what_training_reads(change: Change, server: Server) -> None:
    for source in ("faces", "parts", "test_masks", "training_masks", "vgg16"):
        assert _run(download, source) == 0
    for stage, *arguments in (
        (split, "celebahq"),
        (split, "holes"),
        (pack, "images", "celebahq"),
        (pack, "labels", "celebahq"),
        (pack, "holes"),
    ):
        assert _run(stage, *arguments) == 0, arguments

    assert len(server.ranges("/download")) == 2  # the form and the file, once for both sources
    data = load_training_data(LAYOUT, "celebahq", labels=True)
    assert data.images.shape == (8, SIZE, SIZE, 3)
    assert data.labels is not None
    # Hair, 12, covers skin, 1; its rows grow with the number of the image.
    assert (data.labels[:, 0] == 12).all() and (data.labels[:, -1] == 1).all()
    hair = (data.labels == 12).mean(axis=(1, 2))
    assert np.abs(hair - (10 + np.arange(8)) / 48).max() < 1 / SIZE
    # Training masks come last, by name; what is dark is the hole, and the empty one is not used.
    areas = np.array([data.holes[row].mean() for row in data.hole_rows])
    assert areas == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=1 / SIZE)
    assert data.hole_rows.tolist() == [12, 13, 14, 15]
    assert LAYOUT.weights("vgg16").read_bytes() == b"weights of VGG"


def test_the_images_of_a_list_alone_are_used(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.txt").write_text("1\n6\n", encoding="utf-8")

    def choose(profile: dict[str, Any]) -> None:
        profile["sources"]["faces"] |= {"numbers": "mine.txt", "files": 2}
        profile["sources"]["parts"] |= {"numbers": "mine.txt"}

    change(choose)
    for source in ("faces", "parts"):
        assert _run(download, source) == 0
        with zipfile.ZipFile(LAYOUT.raw(source)) as packed:
            assert {int(name.partition("_")[0].split(".")[0]) for name in packed.namelist()} == {
                1,
                6,
            }
    Path("mine.txt").write_text("1\n9\n", encoding="utf-8")
    message = _error(capsys, download, "faces")
    assert "CelebAMask-HQ.zip: " in message and "9" in message and "`numbers`" in message
    Path("mine.txt").unlink()
    message = _error(capsys, check)
    assert "sources.faces.numbers: mine.txt" in message and "sources.parts.numbers" in message


def test_a_licence_must_be_accepted_first(
    change: Change, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    change(lambda profile: profile.update(accepted_licences=["another"]))
    for stage, arguments in ((download, ["faces"]), (check, [])):
        message = _error(capsys, stage, *arguments)
        assert "sources.faces: " in message
        assert "non-commercial" in message and "celebamask_hq" in message
    assert server.requests == []


def test_the_manual_way(
    change: Change, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.routes["/download"] = page(QUOTA)
    message = _error(capsys, download, "faces")
    assert "quota" in message and "--from-dir" in message
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "CelebAMask-HQ.zip").write_bytes(FILES["CelebAMask-HQ.zip"])
    assert _run(download, "faces", "--from-dir", str(mine)) == 0
    assert LAYOUT.raw("faces").exists()

    # For the engines, whose commands have no such option: the folder of downloads.
    change(lambda profile: profile.update(downloads=str(mine)))
    assert _run(download, "parts") == 0
    assert LAYOUT.raw("parts").exists()


def test_a_local_source_takes_no_folder(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change(lambda p: p["sources"].update(faces={"path": "faces", "files": 1, "licence": "MIT"}))
    assert "--from-dir: sources.faces " in _error(capsys, download, "faces", "--from-dir", ".")


def test_a_local_file_is_the_one_that_the_profile_describes(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    data = FILES["CelebAMask-HQ.zip"]
    Path("mine.zip").write_bytes(data)
    Path("folder").mkdir()
    faces = {"path": "mine.zip", "folder": "CelebA-HQ-img", "files": 8, "licence": "MIT"}
    faces |= {"md5": hashlib.md5(data).hexdigest(), "bytes": len(data)}
    for wrong in ({"md5": "0" * 32}, {"bytes": 1}, {"path": "folder"}):
        change(lambda p, wrong=wrong: p["sources"].update(faces=faces | wrong))
        message = _error(capsys, download, "faces")
        assert message.startswith(f"error: {(faces | wrong)['path']}: ")
    change(lambda p: p["sources"].update(faces=faces))
    assert _run(download, "faces") == 0


def test_ffhq_comes_image_by_image(change: Change, server: Server) -> None:
    rng = np.random.default_rng(1)
    entries = {}
    for n in range(4):
        data = encode_png(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        server.routes[f"/{n}.png"] = File(data)
        image = {
            "file_url": server.url(f"/{n}.png"),
            "file_path": f"images1024x1024/00000/{n:05}.png",
            "file_size": len(data),
            "file_md5": hashlib.md5(data).hexdigest(),
        }
        entries[str(n)] = {"image": image}
    server.routes["/ffhq.json"] = File(json.dumps(entries).encode())
    source = {"kind": "ffhq_metadata", "url": server.url("/ffhq.json"), "downscale": SIZE}
    source |= {"files": 3, "licence": "CC BY-NC-SA 4.0", "numbers": "mine.txt"}
    Path("mine.txt").write_text("0\n1\n2\n", encoding="utf-8")
    change(lambda profile: profile["sources"].update(faces=source))
    assert _run(download, "faces") == 0
    with zipfile.ZipFile(LAYOUT.raw("faces")) as packed:
        assert packed.namelist() == [f"{n:05}.png" for n in range(3)]
        with Image.open(packed.open("00001.png")) as image:
            assert image.size == (SIZE, SIZE)
    assert sorted(path.name for path in Path("downloads/ffhq_32").iterdir()) == packed.namelist()
