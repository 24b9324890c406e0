"""The runs of invocations in MLflow, below which the runs of their stages stand."""

from collections.abc import Callable
from pathlib import Path

from mdrnets.tracking.invocations import parent_run
from mdrnets.tracking.mlflow_store import Store
from mdrnets.tracking.record import Record, hashes
from mdrnets.tracking.record_store import RecordStore
from mdrnets.tracking.sync import sync
from tests.helpers.mlflow_runs import BEGIN, END, list_runs

Make = Callable[..., Record]


def test_stages_of_an_invocation_are_below_one_run(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    for name, status in (("split-one", "FINISHED"), ("masks-one", "FAILED")):
        record = make_record(name=name, started=BEGIN, invocation="snakemake-7")
        record = records.begin(record, resumes=False)
        records.update(record, status=status, ended=END)
    sync(records, "smoke")
    (parent,) = list_runs(store, "tags.`mdrnets.invocation` = 'snakemake-7'")
    assert parent.info.status == "FAILED"
    assert parent.info.start_time == BEGIN.timestamp() * 1000
    children = list_runs(store, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert {run.info.run_name for run in children} == {"split-one", "masks-one"}
    assert {run.data.tags["engine"] for run in children} == {"snakemake"}


def test_the_run_of_an_invocation_says_what_was_asked_for(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    for name in ("split-one", "masks-one"):
        record = make_record(
            name=name,
            invocation="snakemake-7",
            workflow="snakemake --cores all -- reproduce_table1",
            git={"commit": "c0ffee", "dirty": True},
        )
        records.update(records.begin(record, resumes=False), status="FINISHED", ended=END)
    sync(records, "smoke")
    (parent,) = list_runs(store, "tags.`mdrnets.invocation` = 'snakemake-7'")
    tags = {
        "profile": "smoke",
        "engine": "snakemake",
        "git_dirty": "True",
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.source.name": "snakemake --cores all -- reproduce_table1",
    }
    assert parent.data.tags | tags == parent.data.tags


def test_the_run_of_an_invocation_has_the_table_that_it_made(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    table = Path("reports/smoke/table1.csv")
    table.parent.mkdir(parents=True)
    table.write_text("dataset,method,metric,bin,value\none,toy,L1 %,1-20,1.5\none,toy,PSNR,1-20,\n")
    for name, invocation in (("table1", "snakemake-7"), ("old-table1", "snakemake-6")):
        record = make_record(name=name, stage="table1", invocation=invocation)
        made = hashes([table])
        if name == "old-table1":  # the file is another one by now
            made[str(table)] = made[str(table)].model_copy(update={"sha256": "0" * 64})
        begun = records.begin(record, resumes=False)
        records.update(begun, status="FINISHED", ended=END, outputs=made)
    sync(records, "smoke")
    (parent,) = list_runs(store, "tags.`mdrnets.invocation` = 'snakemake-7'")
    assert parent.data.metrics == {"one/toy/L1 _ 1-20": 1.5}
    assert [file.path for file in store.client.list_artifacts(parent.info.run_id)] == ["table1.csv"]
    (older,) = list_runs(store, "tags.`mdrnets.invocation` = 'snakemake-6'")
    assert not older.data.metrics


def test_an_invocation_lasts_as_long_as_its_stages(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    first = records.begin(make_record(name="a", invocation="dvc-7"), resumes=False)
    second = records.begin(make_record(name="b", invocation="dvc-7"), resumes=False)
    records.update(first, status="FINISHED", ended=END)
    sync(records, "smoke")
    (parent,) = list_runs(store, "tags.`mdrnets.invocation` = 'dvc-7'")
    assert parent.info.status == "RUNNING"
    records.update(second, status="FINISHED", ended=END)
    sync(records, "smoke")
    (parent,) = list_runs(store, "tags.`mdrnets.invocation` = 'dvc-7'")
    assert parent.info.status == "FINISHED"


def test_an_invocation_of_another_machine_goes_on(
    records: RecordStore, make_record: Make, store: Store, tmp_path: Path
) -> None:
    there = RecordStore(tmp_path / "there")
    there.begin(make_record(name="a", invocation="snakemake-7"), resumes=False)
    sync(there, "smoke")
    parent_run(store, there, "snakemake-7")
    record = records.begin(make_record(name="b", invocation="snakemake-8"), resumes=False)
    records.update(record, status="FINISHED", ended=END)
    sync(records, "smoke")
    (parent,) = list_runs(store, "tags.`mdrnets.invocation` = 'snakemake-7'")
    assert parent.info.status == "RUNNING"
