import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.config.load import Config
from mdrnets.evaluation.summary import Validation
from mdrnets.layout import Layout
from mdrnets.reporting.tables.costs import _describe_machine, read_costs, write_costs
from mdrnets.tracking.record import Record
from tests.helpers.example import make_config, write_model_config

LAYOUT = Layout("tiny")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return make_config()


@pytest.fixture
def ran(config: Config, make_record: Callable[..., Record]) -> str:
    """A finished training of PConv on the first data set, with its completion and check."""
    dataset = next(iter(config.profile.datasets))
    records = {
        f"train-{dataset}-pconv": {"status": "FINISHED", "seconds": 61.5, "peak_memory": 3 << 28},
        f"complete-{dataset}-pconv": {
            "status": "FINISHED",
            "measurements": {"images_per_second": 12.3},
        },
        f"train-{dataset}-mdrnets": {"status": "KILLED"},
    }
    LAYOUT.records.mkdir(parents=True)
    for name, values in records.items():
        record = make_record(name=name, **values)
        (LAYOUT.records / f"{name}.json").write_text(record.model_dump_json())
    write_model_config(LAYOUT.model_config(dataset, "pconv"), parameters=1234567, steps=150)
    check = LAYOUT.validation(dataset, "pconv")
    check.parent.mkdir(parents=True)
    values = Validation(images=20, trained=9.5, untrained=40.0, mean_fill=17.0, gmacs=0.25)
    check.write_text(values.model_dump_json())
    return dataset


def test_what_ran_is_listed_with_what_it_took(config: Config, ran: str) -> None:
    write_costs(config, LAYOUT)
    with LAYOUT.report("costs.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["dataset"], row["method"]) == (ran, "PConv")
    assert row["parameters"] == "1234567"
    assert float(row["training_seconds"]) == 61.5
    assert float(row["training_memory_mib"]) == 768
    assert float(row["completions_per_second"]) == 12.3
    assert [float(row[f"hole_l1_{what}"]) for what in ("trained", "untrained", "mean_fill")] == [
        9.5,
        40.0,
        17.0,
    ]
    text = LAYOUT.report("costs.md").read_text(encoding="utf-8")
    assert "1,234,567" in text and "61.5" in text
    assert "on 20\nvalidation" in text and "40-60 %" in text


def test_all_machines_and_numbers_of_images_are_named(
    config: Config, ran: str, make_record: Callable[..., Record]
) -> None:
    other = list(config.profile.datasets)[1]
    record = make_record(name=f"train-{other}-pconv", status="FINISHED")
    machine = record.machine.model_copy(update={"cpu": "another processor"})
    record = record.model_copy(update={"machine": machine})
    (LAYOUT.records / f"{record.name}.json").write_text(record.model_dump_json())
    write_model_config(LAYOUT.model_config(other, "pconv"), parameters=1, steps=150)
    costs = read_costs(config, LAYOUT)
    assert costs is not None and costs.machine.endswith(_describe_machine(record))
    assert len(costs.machine) > len(_describe_machine(record)) and "on 20\nvalidation" in costs.note

    check = LAYOUT.validation(other, "pconv")
    check.parent.mkdir(parents=True)
    values = Validation(images=8, trained=9.5, untrained=40.0, mean_fill=17.0, gmacs=0.25)
    check.write_text(values.model_dump_json())
    costs = read_costs(config, LAYOUT)
    assert costs is not None and "on 8 or 20\nvalidation" in costs.note


def test_without_records_there_is_nothing_to_tell(config: Config) -> None:
    write_costs(config, LAYOUT)
    assert not LAYOUT.report("costs.md").exists()
