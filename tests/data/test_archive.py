import pytest

from mdrnets.data.archive import Archive, sort_stems
from mdrnets.errors import UserError


def test_names_of_digits_come_first_and_by_number() -> None:
    assert sort_stems(["b", "10", "9", "a", "010", "²"]) == ["9", "010", "10", "a", "b", "²"]


def test_members_are_found_by_stem_in_order(tmp_path, write_zip) -> None:
    path = write_zip(tmp_path / "faces.zip", {"10.png": b"ten", "9.jpg": b"nine"})
    with Archive(path) as archive:
        assert archive.members == {"9": "9.jpg", "10": "10.png"}
        assert list(archive.members) == ["9", "10"]
        assert archive.read("10") == b"ten"
        assert archive.where("9") == f"{path}: 9.jpg"
        with pytest.raises(UserError, match=r"faces\.zip: .*'11'"):
            archive.read("11")


def test_a_member_with_a_wrong_checksum_is_named(tmp_path, write_zip) -> None:
    path = write_zip(tmp_path / "faces.zip", {"1.png": b"content"})
    path.write_bytes(path.read_bytes().replace(b"content", b"c0ntent"))
    with Archive(path) as archive, pytest.raises(UserError, match=r"faces\.zip: 1\.png: "):
        archive.read("1")


def test_a_table_must_list_just_the_members(tmp_path, write_zip) -> None:
    with Archive(write_zip(tmp_path / "faces.zip", {"1.png": b"", "2.png": b""})) as archive:
        archive.check_same_members(["2", "1"], tmp_path / "split.csv")
        for ids in (["1"], ["1", "2", "3"]):
            with pytest.raises(UserError, match=r"split\.csv: '[23]' .*faces\.zip"):
                archive.check_same_members(ids, tmp_path / "split.csv")
