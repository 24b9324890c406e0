import errno
import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from mdrnets import files
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, sha256, write_text
from tests.helpers.full_disk import fill_disk


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("content")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename must stay on one file system
    assert path.read_text() == "content"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("name", ["folder/a.txt", "folder/below/a.txt"])
def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").touch()
    with pytest.raises(UserError, match=f"^{tmp_path}/folder: "):
        write_text(tmp_path / name, "content")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, PermissionError])
def test_a_failure_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("moment", ["writing", "syncing"])
def test_a_full_disk_is_a_users_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def full(descriptor: int = 0) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.txt"
    path.write_text("old")
    if moment == "syncing":
        monkeypatch.setattr(files.os, "fsync", full)
    with (
        pytest.raises(UserError, match=r"a\.txt: the disk is full"),
        atomic_write(path) as temporary,
    ):
        temporary.write_text("half of the n")
        if moment == "writing":
            full()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _write_zip(path: Path) -> None:
    with path.open("wb", buffering=0) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", bytes(2**17))


WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("x" * 2**17),
    "array": lambda path: np.zeros(2**17, np.uint8).tofile(path),
    "torch": lambda path: torch.save({"a": torch.zeros(2**15)}, path),
    "safetensors": lambda path: save_file({"a": np.zeros(2**15, np.float32)}, path),
    "zip": _write_zip,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_named_whatever_the_writer_says(small_disk: Path, name: str) -> None:
    path = small_disk / "a.bin"
    path.write_text("old")
    fill_disk(small_disk)
    with pytest.raises(UserError, match=r"disk/a\.bin: "), atomic_write(path) as temporary:
        WRITERS[name](temporary)
    assert path.read_text() == "old"
    assert sorted(file.name for file in small_disk.iterdir()) == ["a.bin", "other"]


WRITER = """
import pathlib, sys, time
from mdrnets.files import atomic_write
with atomic_write(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_text("half of the n")
    print("writing", flush=True)
    time.sleep(600)
"""


def test_the_next_process_removes_what_killed_ones_left(tmp_path: Path) -> None:
    path, other = tmp_path / "faces[1].npy", tmp_path / "faces[1].npy.csv"
    command = [sys.executable, "-c", WRITER]
    with (
        subprocess.Popen([*command, path], stdout=subprocess.PIPE) as writer,
        subprocess.Popen([*command, other], stdout=subprocess.PIPE) as other_writer,
    ):
        for process in (writer, other_writer):
            assert process.stdout is not None
            assert process.stdout.readline() == b"writing\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        write_text(path, "content")
        (left,) = tmp_path.glob(".*.part")
        assert left.name.startswith(f".{other.name}."), "a living writer has lost its file"
        other_writer.kill()
    assert path.read_text() == "content"


def test_files_that_others_named_alike_stay(tmp_path: Path) -> None:
    others = [
        tmp_path / f".a.txt.{files.platform.node()}.{end}.part" for end in ("x", "9" * 30, "1")
    ]
    others.append(tmp_path / f".a.txt.another-machine.{os.getpid()}.part")
    for other in others:
        other.touch()
    write_text(tmp_path / "a.txt", "content")
    assert all(other.exists() for other in others)


def test_a_read_only_file_is_replaced_and_its_other_names_keep_the_old_content(
    tmp_path: Path,
) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "cache"
    path.write_text("old")
    path.chmod(0o444)
    link.hardlink_to(path)
    write_text(path, "new")
    assert (path.read_text(), link.read_text()) == ("new", "old")


def test_text_is_utf8_with_plain_newlines(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "α × β\n")
    assert (tmp_path / "a.txt").read_bytes() == "α × β\n".encode()


def test_the_content_is_synced_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    there = []
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: there.append(path.exists()))
    write_text(path, "content")
    assert there == [False]


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a.bin").write_bytes(content)
    assert sha256(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()
