"""The whole chain of one method through both engines, on the smoke profile."""

import json
import re
import shutil
import zipfile
from pathlib import Path, PurePath
from typing import Any

import pytest

from mdrnets.reporting.captions import CAPTIONS
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.remotes import remote
from tests.workflow.conftest import Copy

IDLE = "Nothing to be done"


@pytest.fixture(scope="module")
def by_snakemake(project_copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A finished run, after one that was killed in its first job."""
    copy = project_copy.clone(tmp_path_factory.mktemp("snakemake") / "a prøject")
    with copy.stopped("snakemake", "--cores", "all", "reproduce_all"):
        pass
    copy.snakemake("--unlock")
    copy.snakemake("reproduce_all")
    return copy


@pytest.fixture(scope="module")
def by_dvc(project_copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The same by DVC, from a clean clone."""
    copy = project_copy.clone(tmp_path_factory.mktemp("dvc") / "a prøject")
    with copy.stopped("dvc", "repro"):
        pass
    copy.run("dvc", "repro")
    return copy


def test_snakemake_makes_the_table(by_snakemake: Copy) -> None:
    table = (by_snakemake.root / "reports/smoke/table1.md").read_text(encoding="utf-8")
    assert "MDRNets" in table
    assert "not run" in table  # the other methods are named blanks
    for seed in ("1", "2"):  # of the order of sets
        output = by_snakemake.snakemake("-n", "reproduce_all", PYTHONHASHSEED=seed).stdout
        assert IDLE in output
    assert "without_mrem" not in table  # an ablation is no row of Table 1
    ablation = (by_snakemake.root / "reports/smoke/table2.md").read_text(encoding="utf-8")
    assert "w/o MREM" in ablation
    assert "MDRNets" in (by_snakemake.root / "reports/smoke/costs.md").read_text(encoding="utf-8")


def test_both_engines_make_the_same_bytes(by_snakemake: Copy, by_dvc: Copy) -> None:
    # All but the page, which names the runs behind the numbers, and when they ran.
    results = [copy.results() for copy in (by_snakemake, by_dvc)]
    pages = [one_engine.pop("reports/smoke/index.html") for one_engine in results]
    assert results[0] == results[1]
    assert pages[0] != pages[1]


def test_the_page_leads_to_the_runs(by_snakemake: Copy) -> None:
    page = (by_snakemake.root / "reports/smoke/index.html").read_text(encoding="utf-8")
    records = by_snakemake.root / "runs/smoke/records"
    for path in (*records.glob("train-*.json"), *records.glob("evaluate-*.json")):
        assert json.loads(path.read_text(encoding="utf-8"))["mlflow"]["run_id"] in page
    assert "no record on this machine" not in page
    assert "Doubt:" not in page


def test_dvc_repro_twice_does_nothing(by_dvc: Copy) -> None:
    output = by_dvc.run("dvc", "repro").stdout
    assert "Running stage" not in output
    assert "up to date" in by_dvc.run("dvc", "status").stdout


def test_dvc_shows_and_compares_metrics_and_plots(by_dvc: Copy) -> None:
    by_dvc.commit("results")
    name = "reports/smoke/metrics.json"
    metrics = by_dvc.root / name
    before = json.loads(metrics.read_text())
    after = json.loads(metrics.read_text())
    after["rendered_a"]["mdrnets"]["L1"]["1-20"] = 0.25
    metrics.write_text(json.dumps(after))
    try:
        shown = _json(by_dvc, "metrics", "show")[""]["data"]
        assert shown[name]["data"] == after
        changes = _json(by_dvc, "metrics", "diff")[name]
        assert changes.keys() == {"rendered_a.mdrnets.L1.1-20"}
        assert changes["rendered_a.mdrnets.L1.1-20"]["new"] == 0.25
        (_, experiment), *_ = [(e["rev"], e["data"]) for e in _json(by_dvc, "exp", "show")]
        assert experiment["metrics"][name]["data"] == after
        values = experiment["params"]["runs/smoke/code.json"]["data"]["check"]
        assert "profiles/smoke.yaml:" in values
    finally:
        metrics.write_text(json.dumps(before, indent=1) + "\n")
    plots = _json(by_dvc, "plots", "show")
    assert "errors" not in plots
    for table in ("table1", "curves"):
        (plot,) = plots["data"][f"reports/smoke/{table}.csv"]
        assert plot["content"]["data"]["values"]
        assert "<DVC_METRIC" not in json.dumps(plot["content"])
    assert "reports/smoke/figure5.png" in plots["data"]


def _json(copy: Copy, *arguments: str) -> Any:
    output = copy.run("dvc", *arguments, "--json").stdout
    return json.loads(output)


def test_snakemake_reports_what_was_rendered(by_snakemake: Copy) -> None:
    by_snakemake.snakemake("--report", "report.zip", "reproduce_all")
    with zipfile.ZipFile(by_snakemake.root / "report.zip") as report:
        names = [PurePath(name).name for name in report.namelist()]
        page = report.read("report/report.html").decode()
    (by_snakemake.root / "report.zip").unlink()
    outputs = [path for path in by_snakemake.results() if path.startswith("reports/")]
    shown = {PurePath(path).name for path in outputs if not path.endswith(".json")}
    assert sorted(names) == sorted({*shown, "report.html"})
    captioned = {PurePath(path).stem for path in shown} & CAPTIONS.keys()
    assert "figure5" in captioned
    assert all(json.dumps(text)[1:-1] in page for name in captioned for text in CAPTIONS[name])
    assert "the profile <strong>smoke</strong>" in page
    assert "Rendered faces A, beside the paper" in page


@pytest.mark.parametrize(
    "kind", ["local", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("http", "s3"))]
)
def test_a_snakemake_run_is_recorded_shared_and_restored(
    by_snakemake: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "any")
    by_snakemake.run("make", "-o", "environment", "record")
    assert "up to date" in by_snakemake.run("dvc", "status").stdout
    with remote(kind, tmp_path / "store") as store:
        by_snakemake.run("dvc", "remote", "add", "-f", "-d", "store", store.url)
        for option, value in store.settings.items():
            by_snakemake.run("dvc", "remote", "modify", "store", option, value)
        by_snakemake.run("dvc", "push", "-q")
        by_snakemake.commit("results")

        fresh = by_snakemake.clone(tmp_path / "fresh")
        fresh.run("dvc", "pull", "-q")
    fresh.run("make", "-o", "environment", "restore")
    assert IDLE in fresh.snakemake("-n", "reproduce_all").stdout
    assert fresh.results() == by_snakemake.results()
    assert "up to date" in fresh.run("dvc", "status").stdout
    assert _executions(fresh) == _executions(by_snakemake)
    assert "Running stage" not in fresh.run("dvc", "repro").stdout
    _check_that_an_edit_of_a_loss_reruns_its_trainings(fresh)


def _check_that_an_edit_of_a_loss_reruns_its_trainings(restored: Copy) -> None:
    """In both engines: the coarse network, whose loss it is, and the networks that use this one."""
    path = restored.root / "mdrnets/losses/pconv.py"
    path.write_text(path.read_text() + "\n# edited\n")
    rules = _planned_rules(restored.snakemake("-n", "reproduce_all", "--quiet", "rules").stdout)
    restored.run("dvc", "repro", "--quiet", "code")
    status = json.loads(restored.run("dvc", "status", "--json").stdout)
    stale = {name.partition("@")[0] for name in status}
    assert stale < rules  # DVC names no stage that waits for these
    first = ("download", "split", "pack", "masks", "train")
    trainings = {"train_coarse", "train_mdrnets", "train_variant"}
    assert {name for name in stale if name.startswith(first)} == trainings
    assert {name for name in rules if name.startswith(first)} == trainings
    assert "table1" in rules


def _planned_rules(output: str) -> set[str]:
    """The rules of a dry run."""
    table = output.partition("Job stats")[2].partition("Reasons")[0]
    rows = [line.split() for line in table.splitlines()]
    return {row[0] for row in rows if len(row) == 2 and row[1].isdigit()} - {"total"}


def _executions(copy: Copy) -> dict[str, str]:
    """Who made what: the latest execution of each stage."""
    records = RecordStore(copy.root / "runs/smoke/records").latest()
    executions = {record.name: record.execution for record in records}
    assert "train-rendered_a-mdrnets" in executions
    return executions


def test_a_kept_run_is_verified(by_snakemake: Copy) -> None:
    by_snakemake.run("python", "-m", "mdrnets", "keep")
    folder = by_snakemake.root / "reports/reference/smoke"
    try:
        output = by_snakemake.snakemake("verify").stdout
        assert re.search(r"verify.md: \d+ inside; tolerances of ", output)
    finally:
        shutil.rmtree(folder)
    output = by_snakemake.snakemake("verify", check=False).stdout
    assert "reports/reference/smoke" in output


def test_a_profile_without_variants_has_no_table_2(by_snakemake: Copy) -> None:
    profile = by_snakemake.root / "profiles/smoke.yaml"
    before = profile.read_text()
    profile.write_text(re.sub(r"^variants: .*\n", "", before, flags=re.M))
    try:
        output = by_snakemake.snakemake("-n", "reproduce_table2", check=False).stdout
    finally:
        profile.write_text(before)
    assert "profiles/smoke.yaml: variants" in output


def test_an_edit_reruns_what_it_can_change_and_nothing_else(by_snakemake: Copy) -> None:
    def rules_after_edit_of(name: str) -> set[str]:
        path = by_snakemake.root / name
        before = path.read_text()
        path.write_text(before + "\n# edited\n")
        try:
            output = by_snakemake.snakemake("-n", "--quiet", "rules").stdout
        finally:
            path.write_text(before)
        return _planned_rules(output)

    assert rules_after_edit_of("mdrnets/reporting/tables/table1.py") == {
        "table1",
        "reproduce_table1",
    }
    edited = rules_after_edit_of("mdrnets/methods/mdrnets/memory.py")
    assert "train_mdrnets" in edited
    assert not {"train_parser", "train_coarse", "pack_holes"} & edited


def test_a_parameter_reruns_what_reads_it(by_snakemake: Copy) -> None:
    profile = by_snakemake.root / "profiles/smoke.yaml"
    before = profile.read_text()
    profile.write_text(before.replace("completion_batch: 8", "completion_batch: 4"))
    try:
        output = by_snakemake.snakemake("-n", "--quiet", "rules").stdout
    finally:
        profile.write_text(before)
    assert "complete_mdrnets" in output
    assert "train_mdrnets" not in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--config", "profile=nothing"], "profiles/nothing.yaml"),
        (["--config", "steps=3"], "--config steps"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(
    project_copy: Copy, arguments: list[str], sentence: str
) -> None:
    done = project_copy.snakemake("-n", *arguments, check=False)
    assert done.returncode != 0
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout
