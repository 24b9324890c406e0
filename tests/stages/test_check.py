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
    ("before", "after", "sentence"),
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
    sentence: str,
) -> None:
    _change("profiles/smoke.yaml", before, after)
    assert check.main(["--profile", "smoke"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and sentence in said and said.count("\n") == 1
    assert not STAMP.exists()


def test_a_missing_archive_is_told(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MDRNETS_DATA", str(shipped))
    assert check.main(["--profile", "real64"]) == 1
    said = capsys.readouterr().err
    assert "sources.celebahq_faces.path: " in said and "does not exist" in said


def test_an_unset_variable_is_told(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MDRNETS_DATA", raising=False)
    assert check.main(["--profile", "real64"]) == 1
    assert "the environment variable MDRNETS_DATA is not set" in capsys.readouterr().err
