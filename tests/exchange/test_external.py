"""The inputs for software outside this project, and the check of what it makes of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.commands.command_line import run_command
from tests.helpers.project import LAYOUT, write_configuration, write_data


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    write_data(tmp_path)
    return tmp_path


def _read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def _write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def _completions(folder: Path) -> list[Path]:
    """Completions in one colour, from the exported inputs alone."""
    written = []
    for path in sorted(Path("inputs/one/masked").rglob("*.png")):
        image = _read(path).copy()
        hole = _read(Path("inputs/one/holes") / path.parent.name / path.name)
        image[hole == 255] = (90, 100, 110)
        written.append(folder / path.parent.name / path.name)
        _write(written[-1], image)
    return written


def test_the_inputs_are_those_of_every_method(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("export-inputs", ["inputs"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "inputs/one: 10 images",
        "inputs/two: 10 images",
    ]
    originals = np.load(LAYOUT.images("one"))
    for path in Path("inputs/one/masked").rglob("*.png"):
        hole = _read(Path("inputs/one/holes") / path.parent.name / path.name) == 255
        masked = _read(path)
        assert hole.any() and not masked[hole].any()
        assert np.array_equal(masked[~hole], originals[int(path.stem)][~hole])


def test_good_completions_have_no_findings(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("export-inputs", ["inputs", "--dataset", "one"])
    assert not Path("inputs/two").exists()
    _completions(Path("made"))
    capsys.readouterr()
    assert run_command("check-completions", ["made", "--dataset", "one"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_suspicious_completions_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("export-inputs", ["inputs"])
    changed, unfilled, *_ = _completions(Path("made"))
    _write(changed, 255 - _read(changed))
    _write(unfilled, _read(Path("inputs/one/masked") / unfilled.relative_to("made")))
    capsys.readouterr()
    assert run_command("check-completions", ["made"]) == 1
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert str(changed.relative_to("made").with_suffix("")) in first
    assert str(unfilled.relative_to("made").with_suffix("")) in second


def test_a_missing_image_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_command("export-inputs", ["inputs"])
    first, *_ = _completions(Path("made"))
    first.unlink()
    assert run_command("check-completions", ["made"]) == 1
    assert first.stem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--dataset", "three"], "profiles/tiny.yaml: datasets: three"),
        (["--dataset", "one"], str(LAYOUT.images("one"))),
    ],
)
def test_what_is_not_there_is_named(
    project: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / LAYOUT.images("one")).unlink()
    assert run_command("export-inputs", ["inputs", *arguments]) == 1
    assert f"error: {named}" in capsys.readouterr().err


def test_the_message_makes_the_file_that_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = LAYOUT.images("one")
    (project / missing).unlink()
    run_command("export-inputs", ["inputs"])
    assert f"-- {missing}`" in capsys.readouterr().err
