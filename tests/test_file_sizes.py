"""As CONTRIBUTING.md says, a file contains one idea."""

from tests.helpers.project import ROOT

FOLDERS = ("benchmarks", "mdrnets", "samples", "stages", "tests", "workflow")
CODE = (".py", ".smk", ".js", ".html", ".css")
MAX_LINES = 400


def test_no_file_of_code_is_long() -> None:
    code = [p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.suffix in CODE]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    assert len(lengths) > 100
    assert not {path: n for path, n in lengths.items() if n > MAX_LINES}
