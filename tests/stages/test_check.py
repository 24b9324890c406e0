from pathlib import Path

import pytest

from stages import check

STAMP = Path("runs/smoke/check.json")


def _change(path: str, before: str, after: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert before in text
    Path(path).write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_stamp_never_changes(configs: Path) -> None:
    assert check.main(["--profile", "smoke"]) == 0
    first = STAMP.read_bytes()
    _change("params.yaml", "seed: 2204", "seed: 2205")
    assert check.main(["--profile", "smoke"]) == 0
    assert STAMP.read_bytes() == first


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("image_size: 32", "image_sise: 32", "image_sise: "),
        ("  coarse: {steps: 4", "  coarse: {steps: 0", "networks.coarse.steps: "),
        ("  coarse: {steps: 4", "  coarse: {stepz: 4", "stepz: "),
    ],
)
def test_a_bad_value_is_told_before_anything_runs(
    configs: Path,
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
    configs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MDRNETS_DATA", str(configs))
    assert check.main(["--profile", "real64"]) == 1
    error = capsys.readouterr().err
    assert "sources.celebahq_faces.path: " in error and "sources.nvidia_holes.path: " in error


def test_all_missing_files_variables_and_licences_are_named_at_once(
    configs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COMPLETIONS", raising=False)
    method = "  theirs: {title: Theirs, completions: '$COMPLETIONS/{dataset}'}\n  pconv:"
    _change("params.yaml", "  pconv:", method)
    _change("profiles/paper.yaml", "methods: [", "methods: [theirs, ")
    _change("profiles/paper.yaml", "validation: 100", "validation: 0")
    assert check.main(["--profile", "paper"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for expected in ("celebamask_hq", "ffhq", "methods.theirs.completions", "COMPLETIONS"):
        assert expected in error
    assert "datasets.celebahq.split.validation" in error


def test_missing_external_completions_are_named(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change("params.yaml", "  pconv:", "  theirs: {title: T, completions: their.zip}\n  pconv:")
    _change("profiles/smoke.yaml", "methods: [", "methods: [theirs, ")
    assert check.main(["--profile", "smoke"]) == 1
    assert "methods.theirs.completions: their.zip " in capsys.readouterr().err
    Path("their.zip").touch()
    assert check.main(["--profile", "smoke"]) == 0


@pytest.mark.parametrize(
    ("file", "before", "after", "key"),
    [
        ("profiles/smoke.yaml", "test: 8", "test: 3", "datasets.rendered_a.split.test"),
        ("profiles/smoke.yaml", "validation: 4", "validation: 0", "split.validation"),
        ("profiles/smoke.yaml", "0.6, validation: 0.1", "0.7, validation: 0", "holes.validation"),
        ("profiles/smoke.yaml", "0.6, validation: 0.1", "0.699, validation: 0.001", "holes.valid"),
        ("profiles/smoke.yaml", "test: 8", "test: 61", "holes.test"),
        ("profiles/smoke.yaml", "slots: 4", "memory: none, slots: 4", "networks.mdrnets"),
        ("profiles/smoke.yaml", "devices: 1", "devices: 3", "networks.parser"),
        ("profiles/smoke.yaml", "devices: 1", "devices: 4", "networks.parser"),
    ],
)
def test_what_would_fail_after_training_is_refused_before(
    configs: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    before: str,
    after: str,
    key: str,
) -> None:
    _change(file, before, after)
    assert check.main(["--profile", "smoke"]) == 1
    error = capsys.readouterr().err
    assert key in error and error.startswith("error: ") and error.count("\n") == 1


SMALL = "{steps: 4, batch_size: 4, levels: 4, width: 4, max_width: 16}"


def test_a_method_whose_memory_cannot_be_inspected_is_refused(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(
        "params.yaml",
        "module: mdrnets.methods.pconv",
        "module: mdrnets.methods.pconv\n    memory: true",
    )
    _change("profiles/smoke.yaml", "methods: [", "methods: [pconv, ")
    _change("profiles/smoke.yaml", "networks:", f"networks:\n  pconv: {SMALL}")
    assert check.main(["--profile", "smoke"]) == 1
    assert "methods.pconv.memory" in capsys.readouterr().err


def test_a_parser_that_parses_no_faces_is_refused(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "  other:\n    title: O\n    module: mdrnets.methods.mdrnets.coarse\n    dataset: 0\n"
    _change("params.yaml", "components:\n", f"components:\n{other}    labels: true\n")
    _change("params.yaml", "uses: [parser, coarse", "uses: [other, parser, coarse")
    _change("params.yaml", "  parser: parser", "  parser: other")
    _change("profiles/smoke.yaml", "variants: [", "variants: [without_memory_and_mrem, ")
    _change("profiles/smoke.yaml", "networks:", f"networks:\n  other: {SMALL}")
    assert check.main(["--profile", "smoke"]) == 1
    assert "per_class.parser" in capsys.readouterr().err


def test_a_method_that_completes_nothing_is_refused(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(
        "params.yaml", "module: mdrnets.methods.pconv", "module: mdrnets.methods.mdrnets.parser"
    )
    _change("profiles/smoke.yaml", "methods: [", "methods: [pconv, ")
    _change(
        "profiles/smoke.yaml",
        "networks:",
        "networks:\n  pconv: {steps: 4, width: 4, input_scale: 2}",
    )
    assert check.main(["--profile", "smoke"]) == 1
    assert capsys.readouterr().err.startswith("error: pconv: ")
