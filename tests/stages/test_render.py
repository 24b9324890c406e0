import csv
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mdrnets.evaluation.features import write_features
from mdrnets.evaluation.scores import Score
from mdrnets.evaluation.summary import save_summary
from mdrnets.files.tables import field_names, write_table
from stages.render import main
from tests.helpers.example import make_summary
from tests.helpers.project import LAYOUT, ROOT, add_variants, edit_yaml, write_configuration

OUTPUTS = [
    LAYOUT.report(f"{name}.{suffix}")
    for name in ("table1", "table1_extended")
    for suffix in ("csv", "md", "tex")
]


@pytest.fixture
def project(no_sync: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scores of one of two methods on one of two data sets, and the published numbers."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    with edit_yaml("params.yaml") as params:
        params["bins"] = {"1-20": [1, 2], "20-40": [3, 4], "40-60": [5, 6]}
        params["methods"]["mdrnets"] = {"title": "MDRNets", "module": "tests.helpers.toy"}
    shutil.copytree(ROOT / "reports" / "published", "reports/published")
    save_summary(LAYOUT.summary("one", "toy"), make_summary("one", "toy"))
    return tmp_path


def test_all_files_of_the_table_of_stages_are_written(project: Path) -> None:
    assert main(["table1"]) == 0
    written = {path for path in LAYOUT.reports.rglob("*") if path.is_file()}
    assert written == {*OUTPUTS, LAYOUT.metrics}
    assert all(path.stat().st_size for path in written)


def test_the_backend_of_a_notebook_is_not_inherited(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends = []

    def render(*arguments: object) -> None:
        backends.append(os.environ["MPLBACKEND"])

    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    module = SimpleNamespace(render=render)
    monkeypatch.setattr("stages.render.import_module", lambda name: module)
    assert main(["figure5"]) == 0
    assert backends == ["Agg"]


def test_dvc_compares_the_numbers_of_the_table(project: Path) -> None:
    assert main(["table1"]) == 0
    metrics = json.loads(LAYOUT.metrics.read_text(encoding="utf-8"))
    scored, not_scored = metrics["one"]["toy"], metrics["two"]["toy"]
    with LAYOUT.report("table1.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["value"]]
    assert {(m, b): str(v) for m, values in scored.items() for b, v in values.items()} == {
        (row["metric"], row["bin"]): row["value"] for row in rows
    }
    assert not_scored == {}


def test_blanks_have_their_reasons(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main(["table1"]) == 0
    with LAYOUT.report("table1.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    reasons = {(row["dataset"], row["method"]): row["reason"] for row in rows}
    assert reasons == {
        ("one", "toy"): "",
        ("one", "mdrnets"): "not run in this profile",
        ("two", "toy"): "not run",
        ("two", "mdrnets"): "not run in this profile",
    }
    assert ("toy", "two") in [record.args for record in caplog.records]


def test_the_published_numbers_stand_beside_ours(project: Path) -> None:
    assert main(["table1"]) == 0
    page = LAYOUT.report("table1.md").read_text(encoding="utf-8")
    assert "0.470" in page  # MDRNets' L1 on FFHQ, for which the data set stands
    assert " FID 2.473 |" in page
    assert "Toy 11 steps of 2 images" in page
    assert "not in a git checkout" in page


def test_a_row_of_blanks_alone_is_left_out(project: Path) -> None:
    with edit_yaml("params.yaml") as params:
        params["methods"]["other"] = {"title": "Other", "module": "tests.helpers.toy"}
    assert main(["table1"]) == 0
    rows = {}
    for name in ("table1.csv", "table1_extended.csv"):
        with LAYOUT.report(name).open(encoding="utf-8", newline="") as file:
            rows[name] = {row["method"] for row in csv.DictReader(file)}
    # Not run, `mdrnets` has numbers of the paper in Table 1, but none in the extended table.
    assert rows == {"table1.csv": {"toy", "mdrnets"}, "table1_extended.csv": {"toy"}}


def test_it_gives_the_same_bytes_again(project: Path) -> None:
    contents = []
    for _ in range(2):
        assert main(["table1"]) == 0
        contents.append([path.read_bytes() for path in (*OUTPUTS, LAYOUT.metrics)])
    assert contents[0] == contents[1]


def test_scores_of_another_kind_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = make_summary("two", "toy", frechet_name="FID")
    save_summary(LAYOUT.summary("two", "toy"), summary)
    assert main(["table1"]) == 1
    assert "the scores of toy on two: distance" in capsys.readouterr().err
    assert not LAYOUT.reports.exists()


def test_missing_published_numbers_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("reports/published/table1.csv").unlink()
    assert main(["table1"]) == 1
    assert "reports/published/table1.csv" in capsys.readouterr().err


def test_an_ablation_shows_the_variants_that_were_run(project: Path) -> None:
    add_variants()
    save_summary(LAYOUT.summary("one", "toy@nose"), make_summary("one", "toy@nose"))

    assert main(["table2"]) == 0
    text = LAYOUT.report("table2.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("|")][2:]
    assert [(title.strip(), label.strip()) for title, label in rows] == [
        ("w/o nose", "here"),
        ("w/o ear", "here: not run in this profile"),
        ("Toy", "here"),
    ]
    assert "The paper's numbers for this table are not available to us" in text
    assert LAYOUT.report("table2.csv").is_file() and LAYOUT.report("table2.tex").is_file()


def _write_scores(dataset: str, method: str, l1: float) -> None:
    """Of eight images, a little different for each."""
    generator = np.random.default_rng(len(dataset + method))
    rows = [
        [f"{image}", bin_, "hole", 0.3, l1 + 0.01 * image, *(20 + generator.normal(size=7))]
        for bin_ in ("1-20", "20-40", "40-60")
        for image in range(8)
    ]
    write_table(LAYOUT.scores(dataset, method), field_names(Score), rows)
    features = generator.normal(size=(3, 8, 4)).astype(np.float32)
    write_features(LAYOUT.features(dataset, method), features)
    write_features(LAYOUT.true_features(dataset), features[0])


def _rows_of_claims() -> list[dict[str, str]]:
    with LAYOUT.report("claims.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_claims_of_a_profile_without_the_papers_method_cannot_be_tested(project: Path) -> None:
    assert main(["claims"]) == 0
    rows = _rows_of_claims()
    assert {row["verdict"] for row in rows} == {"not tested"}
    assert rows[0]["reason"] == "MDRNets is not run in this profile"
    assert rows[0]["published"] == "-0.501"
    assert "0 supported, 0 contradicted" in LAYOUT.report("claims.md").read_text(encoding="utf-8")


def test_claims_are_tested_on_scores_and_features(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edit_yaml("params.yaml") as params, edit_yaml("profiles/tiny.yaml") as profile:
        pconv = {"title": "PConv"}  # one of the paper's
        params["methods"]["pconv"] = params["methods"]["toy"] | pconv
        profile["methods"] = ["pconv", "mdrnets"]
        for method in profile["methods"]:
            profile["networks"][method] = profile["networks"]["toy"]
    for dataset in ("one", "two"):
        _write_scores(dataset, "pconv", 3.0)
        _write_scores(dataset, "mdrnets", 2.0)

    contents = []
    for _ in range(2):
        assert main(["claims"]) == 0
        contents.append([LAYOUT.report(name).read_bytes() for name in ("claims.csv", "claims.md")])
    assert contents[0] == contents[1]
    first = _rows_of_claims()[0]
    assert (first["metric"], first["other"], float(first["here"])) == ("L1", "pconv", -1.0)
    assert "PConv 11 steps of 2 images" in LAYOUT.report("claims.md").read_text(encoding="utf-8")

    LAYOUT.scores("two", "pconv").unlink()
    assert main(["claims"]) == 1
    assert "scores/two/pconv.csv" in capsys.readouterr().err
