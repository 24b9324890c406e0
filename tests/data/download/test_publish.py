import hashlib
import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.download.publish import find_local_source, publish_file
from mdrnets.errors import UserError
from tests.data.download.conftest import MEMBERS, write_folder


class Counting:
    """A progress that remembers what was shown."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def __call__(self, items: Iterable[Any], /, *, total: int, label: str) -> Iterator[Any]:
        self.labels.append(label)
        passed = list(items)
        assert len(passed) == total, label
        return iter(passed)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- finding -----------------------------------------------------------------------------------


def test_a_source_lies_where_the_profile_says_or_in_data(tmp_path, monkeypatch) -> None:
    default = tmp_path / "data" / "faces.zip"
    with pytest.raises(UserError, match=r"data/faces\.zip: "):
        find_local_source(None, default)
    default.parent.mkdir()
    default.touch()
    assert find_local_source(None, default) == default

    monkeypatch.setenv("FACES", str(tmp_path))
    with pytest.raises(UserError, match=r"other\.zip: "):
        find_local_source("$FACES/other.zip", default)
    (tmp_path / "other.zip").touch()
    assert find_local_source("$FACES/other.zip", default) == tmp_path / "other.zip"

    monkeypatch.delenv("FACES")
    with pytest.raises(UserError, match="FACES"):
        find_local_source("$FACES/other.zip", default)


# -- publishing --------------------------------------------------------------------------------


def test_an_archive_is_copied_with_a_manifest(tmp_path, write_zip, archive, publish) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    manifest = publish(path, sha256=_sha256(path), licence="CC BY 4.0")
    assert archive.read_bytes() == path.read_bytes()
    assert json.loads(archive.with_suffix(".json").read_text()) == {
        "source": "faces",
        "licence": "CC BY 4.0",
        "files": 4,
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
        "downscale": None,
        "original": None,
    }
    assert manifest.sha256 == _sha256(path)
    assert sorted(p.name for p in archive.parent.iterdir()) == ["faces.json", "faces.zip"]


def test_a_source_is_only_read(tmp_path, write_zip, archive, publish) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    path.chmod(0o444)
    before = _sha256(path)
    publish(path)
    assert _sha256(path) == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert not archive.samefile(path)


def test_progress_counts_mebibytes_and_files(tmp_path, write_zip, publish) -> None:
    progress = Counting()
    publish(write_zip(tmp_path / "mine.zip", MEMBERS), progress=progress)
    assert progress.labels == ["copy mine.zip, MiB", "check mine.zip"]


@pytest.mark.parametrize("change", ["content", "licence", "archive", "manifest"])
def test_what_changed_is_published_again(tmp_path, write_zip, archive, publish, change) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    publish(path)
    settings = {}
    if change == "content":  # of the same length
        write_zip(path, MEMBERS | {"00002.png": b"image X"})
    elif change == "licence":
        settings["licence"] = "CC0"
    elif change == "archive":
        archive.write_bytes(archive.read_bytes()[:-5])
    else:
        archive.with_suffix(".json").write_text('{"source": "faces"}')
    manifest = publish(path, **settings)
    assert archive.read_bytes() == path.read_bytes()
    assert manifest.sha256 == _sha256(archive)
    assert json.loads(archive.with_suffix(".json").read_text())["licence"] == manifest.licence


# -- folders -----------------------------------------------------------------------------------


def test_equal_folders_give_equal_archives(tmp_path, archive, publish) -> None:
    first = publish(write_folder(tmp_path / "a", list(MEMBERS)))
    with zipfile.ZipFile(archive) as packed:
        assert packed.namelist() == list(MEMBERS)
        assert {info.compress_type for info in packed.infolist()} == {zipfile.ZIP_STORED}
        assert {name: packed.read(name) for name in packed.namelist()} == MEMBERS
    other = write_folder(tmp_path / "b", list(reversed(MEMBERS)))
    os.utime(other / "00001.png", (2e9, 2e9))
    (other / "00002.png").chmod(0o600)
    archive.unlink()
    assert publish(other) == first
    assert _sha256(archive) == first.sha256


def test_other_images_under_the_same_names_are_packed(tmp_path, archive, publish) -> None:
    """Also if they are older than the archive, as after unpacking."""
    publish(write_folder(tmp_path / "a", list(MEMBERS)))
    folder = write_folder(tmp_path / "b", list(MEMBERS))
    (folder / "00000.png").write_bytes(b"image Y")
    os.utime(folder / "00000.png", (1, 1))
    publish(folder)
    with zipfile.ZipFile(archive) as packed:
        assert packed.read("00000.png") == b"image Y"


# -- images below a folder ---------------------------------------------------------------------

NESTED = {
    "CelebA/README.txt": b"read me",
    "CelebA/img/0/1.png": b"one",
    "CelebA/img/1/0.png": b"zero",
    "CelebA/img/Thumbs.db": b"",
    "CelebA/img/.hidden.png": b"",
    "CelebA/parts/1_skin.png": b"skin",
}


def test_images_below_a_folder_are_packed_flat(tmp_path, write_zip, archive, publish) -> None:
    path = write_zip(tmp_path / "mine.zip", NESTED)
    manifest = publish(path, files=2, folder="img", sha256=_sha256(path)[:10])
    with zipfile.ZipFile(archive) as packed:
        assert [(name, packed.read(name)) for name in packed.namelist()] == [
            ("0.png", b"zero"),
            ("1.png", b"one"),
        ]
    assert manifest.original == _sha256(path)
    assert manifest.sha256 == _sha256(archive)
    assert publish(path, files=2, folder="CelebA/img", sha256=_sha256(path)) == manifest
    assert publish(path, files=None, folder=".").files == 3


def test_a_folder_of_folders_and_images_of_any_size(tmp_path, encode, archive, publish) -> None:
    """As many have FFHQ: at 256² or 1024², in folders of a thousand, with a README."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    small = encode(noise[:24, :24])
    files = {"00000/0.png": encode(noise), "00000/1.jpg": encode(noise, format="JPEG")}
    for name, data in (files | {"1000/2.png": small, "README.md": b""}).items():
        path = tmp_path / "ffhq" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    manifest = publish(tmp_path / "ffhq", files=3, folder=".", downscale=32)
    with zipfile.ZipFile(archive) as packed:
        assert packed.namelist() == ["0.png", "1.png", "2.png"]
        assert packed.read("2.png") == small
        with Image.open(packed.open("0.png")) as image:
            expected = Image.fromarray(noise).resize((32, 32), Image.Resampling.LANCZOS)
            np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
    assert publish(tmp_path / "ffhq", files=3, folder=".", downscale=32) == manifest
    assert publish(tmp_path / "ffhq", files=3, folder=".", downscale=40).downscale == 40
    (tmp_path / "ffhq/1000/3.png").write_bytes(encode(noise[:48]))
    with pytest.raises(UserError, match=r"ffhq: 1000/3\.png has 48×64 "):
        publish(tmp_path / "ffhq", files=4, folder=".", downscale=32)


# -- one file ----------------------------------------------------------------------------------


def test_weights_are_copied_with_a_manifest(tmp_path) -> None:
    path, target = tmp_path / "vgg16-397923af.pth", tmp_path / "run" / "vgg16.pth"
    path.write_bytes(b"weights")
    settings = {"source": "vgg16", "licence": "BSD"}
    manifest = publish_file(path, target, sha256=_sha256(path)[:8], **settings)
    assert target.read_bytes() == b"weights"
    assert json.loads(target.with_suffix(".json").read_text())["sha256"] == manifest.sha256
    inode = target.stat().st_ino
    assert publish_file(path, target, sha256=None, **settings) == manifest
    assert target.stat().st_ino == inode
    with pytest.raises(UserError, match=r"vgg16-397923af\.pth: "):
        publish_file(path, target, sha256="397923af", **settings)
    with pytest.raises(UserError, match=f"^{re.escape(str(tmp_path))}: "):
        publish_file(tmp_path, target, sha256=None, **settings)


# -- refusals ----------------------------------------------------------------------------------


def test_another_hash_is_refused_and_the_old_archive_stays(
    tmp_path, write_zip, archive, publish
) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    publish(path)
    before = archive.read_bytes()
    with pytest.raises(UserError, match=r"mine\.zip: .*[0-9a-f]{64}.* 0{64}"):
        publish(path, sha256="0" * 64)
    assert archive.read_bytes() == before
    assert sorted(p.name for p in archive.parent.iterdir()) == ["faces.json", "faces.zip"]


def _refused(extra: str, pattern: str | None = None, **settings: Any) -> tuple[Any, ...]:
    """A case: `MEMBERS` and one more, in an archive that is published with these settings."""
    return MEMBERS | {extra: b""}, {"files": 5} | settings, pattern or f"{re.escape(repr(extra))} "


@pytest.mark.parametrize(
    ("members", "settings", "pattern"),
    [
        *map(_refused, ("faces/00004.png", "faces\\00004.png", "faces/", "/etc/00004.png")),
        *map(_refused, ("../00004.png", "..\\00004.png", "README.txt")),
        _refused("00001.jpg", r"'00001\.jpg' and '00001\.png' "),
        _refused("3.webp", r"'00003\.png' and '3\.webp' "),
        ({name: b"" for name in MEMBERS if name != "00002.png"}, {}, r".* 3 .* 4 .* 2\)"),
        ({"ab.png": b""}, {}, ".* 1 .* 4;"),  # names without numbers are only counted
        (MEMBERS, {"files": 3}, r".* 4 .* 3 .*'00003'"),
        ({f"{n}.png": b"" for n in range(12)}, {"files": 11}, ".*'11'"),  # not '9'
        ({f"{n}.png": b"" for n in range(60, 70)}, {"files": 11}, r".* 60 to 69 "),
        *(
            (NESTED, {"files": 2, "folder": folder}, f".*'{folder}'")
            for folder in ("im", "mg", "skin", "img/2")
        ),
        *(
            (NESTED | {name: b""}, {"files": 2, "folder": "img"}, "")
            for name in ("../evil.txt", "/etc/passwd", "a/..\\b.png")
        ),
        (
            NESTED,
            {"files": 2, "folder": "img", "sha256": "0" * 8},
            ".*SHA-256 .* 00000000",
        ),
    ],
)
def test_an_archive_that_is_not_as_described_is_refused(
    tmp_path, write_zip, archive, publish, members, settings, pattern
) -> None:
    path = write_zip(tmp_path / "mine.zip", members)
    with pytest.raises(UserError, match=rf"mine\.zip: {pattern}"):
        publish(path, **settings)
    assert not archive.exists()


def test_what_is_no_archive_is_refused(tmp_path, write_zip, archive, publish) -> None:
    path = tmp_path / "mine.zip"
    path.write_bytes(b"\n<!DOCTYPE html><title>Quota exceeded</title>")
    with pytest.raises(UserError, match=r"mine\.zip: .*HTML"):
        publish(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"mine\.zip: "):
        publish(path)
    data = write_zip(path, MEMBERS).read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(UserError, match=r"mine\.zip: "):
        publish(path)
    assert not archive.exists()


def test_a_damaged_member_is_named(tmp_path, write_zip, archive, publish) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    path.write_bytes(path.read_bytes().replace(b"image 2", b"imagE 2"))
    with pytest.raises(UserError, match=r"mine\.zip: 00002\.png: "):
        publish(path)
    assert list(archive.parent.iterdir()) == []


def test_nothing_is_copied_to_a_disk_that_cannot_hold_it(
    tmp_path, write_zip, archive, publish, monkeypatch
) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    progress = Counting()
    with pytest.raises(UserError, match=r"faces\.zip: .*1 MiB .*64 MiB"):
        publish(path, progress=progress)
    assert progress.labels == []
    assert list(archive.parent.iterdir()) == []


def test_the_hash_is_that_of_the_archive_with_what_is_ignored(tmp_path, write_zip, publish) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS | {"__MACOSX/x": b""})
    assert publish(path, sha256=_sha256(path)).original == _sha256(path)
    with pytest.raises(UserError, match=r"mine\.zip: "):
        publish(path, sha256="0" * 64)


@pytest.mark.parametrize("downscale", [None, 32])
def test_all_damaged_files_are_named(tmp_path, write_zip, archive, publish, downscale) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS)
    path.write_bytes(path.read_bytes().replace(b"image ", b"imagE "))
    with pytest.raises(UserError, match=r"mine\.zip: 4 of 4 files ") as raised:
        publish(path, folder=None if downscale is None else ".", downscale=downscale)
    assert all(name in str(raised.value) for name in MEMBERS)
    assert list(archive.parent.iterdir()) == []
