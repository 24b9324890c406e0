from pathlib import Path

from mdrnets.tracking.record import hashes


def test_files_are_hashed_and_missing_ones_left_out(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"abc")
    result = hashes([tmp_path / "there", tmp_path / "missing"])
    (hashed,) = result.values()
    assert hashed.bytes == 3
    assert hashed.sha256.startswith("ba7816bf8f01cfea")
