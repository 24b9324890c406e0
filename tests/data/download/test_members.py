import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from mdrnets.data.download.members import Member, check_members
from mdrnets.errors import UserError
from mdrnets.files.archives import MAX_MEMBER_BYTES
from tests.data.download.conftest import MEMBERS, write_folder


def _patch(path: Path, offset: int, layout: str, value: int) -> Path:
    """Change a field of the first entry of an archive's directory."""
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, data.index(b"PK\x01\x02") + offset, value)
    path.write_bytes(data)
    return path


def test_a_folder_may_hold_links_to_files_but_no_broken_ones(tmp_path, archive, publish) -> None:
    folder = write_folder(tmp_path / "a", list(MEMBERS)[:3])
    (tmp_path / "elsewhere").write_bytes(MEMBERS["00003.png"])
    (folder / "00003.png").symlink_to(tmp_path / "elsewhere")
    publish(folder)
    with zipfile.ZipFile(archive) as packed:
        assert packed.read("00003.png") == MEMBERS["00003.png"]
    (tmp_path / "elsewhere").unlink()
    with pytest.raises(UserError, match=r"'00003\.png' "):
        publish(folder)


def test_an_empty_folder_is_refused(tmp_path, archive, publish) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ".hidden.png").touch()
    with pytest.raises(UserError, match=r"mine: "):
        publish(tmp_path / "mine")
    assert not archive.exists()


def test_a_member_of_more_bytes_than_it_claims_is_damaged(tmp_path, publish) -> None:
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("00000.png", b"\0" * 10**6)
    _patch(path, 24, "<I", 10)
    with pytest.raises(UserError, match=r"mine\.zip: 00000\.png: "):
        publish(path, files=1)


def test_a_member_that_claims_to_be_huge_is_refused() -> None:
    members = [Member("1.png", MAX_MEMBER_BYTES), Member("2.png", MAX_MEMBER_BYTES + 1)]
    with pytest.raises(UserError, match=r"mine\.zip: '2\.png' .*67,108,865 "):
        check_members(members, where=Path("mine.zip"), files=2)


@pytest.mark.parametrize("folder", [None, "faces"])
def test_a_name_that_no_file_system_has_is_refused(write_zip, tmp_path, publish, folder) -> None:
    """Python converts no number of more than 4,300 digits."""
    path = write_zip(tmp_path / "mine.zip", {f"{folder or '.'}/{'1' * 5000}.png": b"image"})
    with pytest.raises(UserError, match=r"mine\.zip: '.{,300}' has a name of 5,004 bytes"):
        publish(path, files=1, folder=folder)


def test_a_link_or_an_encrypted_member_is_refused(tmp_path, write_zip, publish) -> None:
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("00000.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match=r"mine\.zip: '00000\.png' "):
        publish(path, files=1)
    _patch(write_zip(path, {"00000.png": b"secret"}), 8, "<H", 1)
    with pytest.raises(UserError, match=r"mine\.zip: '00000\.png' "):
        publish(path, files=1)


def test_a_folder_in_a_folder_is_refused(tmp_path, publish) -> None:
    folder = write_folder(tmp_path / "a", list(MEMBERS))
    (folder / "00000").mkdir()
    with pytest.raises(UserError, match="'00000/' "):
        publish(folder)


HIDDEN = (
    ".ipynb_checkpoints/00009.png", "__MACOSX/._00000.png", "@eaDir/00008.png", "Thumbs.db",
    ".DS_Store", ".00007.png", "thumbnails/00006.png",
)  # fmt: skip


@pytest.mark.parametrize("folder", [None, "."])
@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_what_systems_leave_behind_is_no_data(
    tmp_path, write_zip, archive, publish, kind, folder
) -> None:
    members = MEMBERS | dict.fromkeys(HIDDEN, b"no data")
    if kind == "archive":
        path = write_zip(tmp_path / "mine.zip", members)
    else:
        path = tmp_path / "mine"
        for name, data in members.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    assert publish(path, folder=folder).files == 4
    with zipfile.ZipFile(archive) as published:
        assert {name: published.read(name) for name in published.namelist()} == MEMBERS


def test_links_in_circles_are_named(tmp_path, publish) -> None:
    folder = write_folder(tmp_path / "mine", list(MEMBERS))
    (folder / "sub").mkdir()
    (folder / "sub" / "above").symlink_to(folder)
    with pytest.raises(UserError, match=r"mine: 'sub/above' "):
        publish(folder, folder=".")
    (folder / "sub" / "above").unlink()
    (folder / "00009.png").symlink_to(folder / "00009.png")
    for below in (".", None):
        with pytest.raises(UserError, match=r"mine: '00009\.png' |mine: .*\n  '00009\.png' "):
            publish(folder, folder=below)


def test_a_name_that_is_not_utf8_is_named(tmp_path, publish) -> None:
    folder = write_folder(tmp_path / "mine", list(MEMBERS))
    (folder / os.fsdecode(b"\xe9.png")).touch()
    for below in (".", None):
        with pytest.raises(UserError, match=r"mine: '\\udce9\.png' .*UTF-8"):
            publish(folder, folder=below, files=5)


def test_all_bad_names_are_counted_and_ten_named(tmp_path, write_zip, publish) -> None:
    path = write_zip(tmp_path / "mine.zip", MEMBERS | {f"{n}.txt": b"" for n in range(20, 32)})
    with pytest.raises(UserError, match=r"mine\.zip: 12 of 16 files ") as raised:
        publish(path)
    is_named = [f"'{n}.txt'" in str(raised.value) for n in range(20, 32)]
    assert is_named == [True] * 10 + [False] * 2
