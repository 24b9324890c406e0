from pathlib import Path

import pytest

from stages import check

STAMP = Path("runs/smoke/check.json")


def _change(path: str, before: str, after: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert before in text
    Path(path).write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_stamp_never_changes(shipped: Path) -> None:
    assert check.main(["--profile", "smoke"]) == 0
    first = STAMP.read_bytes()
    _change("params.yaml", "seed: 2204", "seed: 2205")
    assert check.main(["--profile", "smoke"]) == 0
    assert STAMP.read_bytes() == first


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("image_size: 32", "image_sise: 32", "image_sise: "),
        ("  coarse: {steps: 4", "  coarse: {steps: 0", "profiles/smoke.yaml: networks.coarse: "),
        ("  coarse: {steps: 4", "  coarse: {stepz: 4", "stepz: "),
    ],
)
def test_a_bad_value_is_told_before_anything_runs(
    shipped: Path,
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    key: str,
) -> None:
    _change("profiles/smoke.yaml", before, after)
    assert check.main(["--profile", "smoke"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and key in error and error.count("\n") == 1
    assert not STAMP.exists()


def test_a_missing_archive_is_told(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MDRNETS_DATA", str(shipped))
    assert check.main(["--profile", "real64"]) == 1
    error = capsys.readouterr().err
    assert "profiles/real64.yaml: sources.celebahq_faces.path: " in error


def test_an_unset_variable_is_told(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MDRNETS_DATA", raising=False)
    assert check.main(["--profile", "real64"]) == 1
    assert " MDRNETS_DATA " in capsys.readouterr().err
