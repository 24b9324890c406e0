import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.config.load import Config, load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.planning.page import cluster_resources, page
from mdrnets.planning.plan import Plan, Planner
from mdrnets.planning.schedule import makespan
from mdrnets.planning.speed import DEVICES, Measurement, Speed, loading_seconds
from mdrnets.tracking.record import Record
from tests.helpers.project import LAYOUT, edit_yaml, write_configuration, write_data

NETWORKS = {
    "base": {"epochs": 3, "batch_size": 2, "width": 3},
    "toy": {"epochs": 11, "batch_size": 2},
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Two data sets of seven training and five test images."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path, networks=NETWORKS)
    write_data(tmp_path)
    return load_config()


def _plan(config: Config, *measurements: Measurement) -> Plan:
    speed = Speed(
        DEVICES["cpu"],
        precision="32-true",
        threads=config.profile.threads,
        measurements=measurements,
    )
    return Planner(config, speed).plan()


def test_every_job_of_the_workflow_is_in_it_after_those_that_it_needs(config: Config) -> None:
    plan = _plan(config)
    assert list(plan.jobs) == [job.name for job in Pipeline(config).jobs()]
    seen: set[str] = set()
    for name, job in plan.jobs.items():
        assert set(job.needs) <= seen
        seen.add(name)
    assert "train_base one" in plan.jobs["train_toy two"].needs  # one part serves both data sets
    assert "complete_toy two" in plan.jobs["evaluate toy two"].needs


def test_epochs_are_steps_of_each_phase(config: Config) -> None:
    base = plan_steps(_plan(config), "train_base one")
    assert sum(base.values()) == 11  # 3 · 7 images / 2, the last one begun
    toy = plan_steps(_plan(config), "train_toy two")
    assert sum(toy.values()) == 39
    assert list(toy) == ["reconstruct", "adversarial"]


def plan_steps(plan: Plan, job: str) -> dict[str, int]:
    return {work.phase: work.steps for work in plan.jobs[job].work}


def test_completions_take_all_bins_and_their_disk(config: Config) -> None:
    job = _plan(config).jobs["complete_toy one"]
    assert job.work[0].steps == 2 * 3  # bins · batches of two for five images
    assert job.output_bytes == 2 * 2 * 5 * 32 * 32 * 3

    with edit_yaml(Path("params.yaml")) as params:
        fill = {"title": "Fill", "module": "mdrnets.methods.biharmonic", "trained": False}
        params["methods"] |= {
            "fill": fill,
            "given": {"title": "Given", "completions": "{dataset}.zip"},
        }
    with edit_yaml(Path("profiles/tiny.yaml")) as profile:
        profile["methods"] += ["fill", "given"]
    more = _plan(load_config())
    for name in ("complete_fill one", "collect_given one"):
        assert more.jobs[name].output_bytes == job.output_bytes
    assert f"completions | {6 * job.output_bytes / 1e9:.3g}" in " ".join(page(more, [1]).split())


def test_a_measured_step_takes_what_was_measured(config: Config) -> None:
    estimated = _plan(config)
    row = Measurement(
        "CPU", "base", "reconstruct", 32, 2, "32-true", 1, estimated.parameters["base"], 0.5, 123
    )
    first, second = _plan(config, row).jobs["train_base one"].work
    assert first.source == "measured"
    loading = loading_seconds(images=2, image_size=32, threads=0, step=2)
    assert first.seconds == pytest.approx((2 + loading) * first.steps)
    assert first.busy == pytest.approx(2 / (2 + loading))
    assert second.source == "estimated"
    assert first.gpu_memory == 123
    on_cpu = _plan(config, replace(row, peak_memory_bytes=0))
    assert on_cpu.jobs["train_base one"].memory == estimated.jobs["train_base one"].memory


def test_what_has_been_run_takes_what_it_took(
    config: Config, make_record: Callable[..., Record]
) -> None:
    job = Pipeline(config).find("train", ["one", "base"])
    record = make_record(
        name="train-one-base",
        status="FINISHED",
        seconds=100.0,
        parameters=dict(job.parameters),
    )
    LAYOUT.records.mkdir(parents=True)
    (LAYOUT.records / "train-one-base.json").write_text(record.model_dump_json())
    job = _plan(config).jobs["train_base one"]
    assert job.seconds == pytest.approx(100)
    assert {work.source for work in job.work} == {"record"}

    other = record.model_copy(update={"parameters": {"params.yaml:seed": 1}})
    (LAYOUT.records / "train-one-base.json").write_text(other.model_dump_json())
    assert {w.source for w in _plan(config).jobs["train_base one"].work} == {"estimated"}


@pytest.mark.parametrize(
    ("program", "network", "memory"), [("train", "base", 2 * 77), ("complete", "toy", 77)]
)
def test_a_record_says_what_memory_each_process_takes(
    config: Config,
    make_record: Callable[..., Record],
    program: str,
    network: str,
    memory: int,
) -> None:
    """Ranks share a training; a completion is one process."""
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile["devices"] = 2
    config = load_config()
    job = Pipeline(config).find(program, ["one", network])
    name = f"{program}-one-{network}"
    record = make_record(
        name=name, status="FINISHED", peak_memory=77, parameters=dict(job.parameters)
    )
    LAYOUT.records.mkdir(parents=True)
    (LAYOUT.records / f"{name}.json").write_text(record.model_dump_json())
    assert _plan(config).jobs[job.name].memory == memory


def test_a_run_on_another_device_says_nothing_about_this_one(
    config: Config, make_record: Callable[..., Record]
) -> None:
    job = Pipeline(config).find("train", ["one", "base"])
    record = make_record(
        name="train-one-base", status="FINISHED", seconds=100.0, parameters=dict(job.parameters)
    )
    LAYOUT.records.mkdir(parents=True)
    (LAYOUT.records / "train-one-base.json").write_text(record.model_dump_json())
    for device, source in (("cpu", "record"), ("a100", "estimated")):
        speed = Speed(DEVICES[device], precision="32-true")
        job = Planner(config, speed, any_device=False).plan().jobs["train_base one"]
        assert {work.source for work in job.work} == {source}


def test_processes_and_threads_occupy_cores(config: Config) -> None:
    one = _plan(config)
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile |= {"threads": 4, "devices": 2}
    many = _plan(load_config())
    tasks = many.tasks()
    assert (tasks["train_base one"].gpus, tasks["complete_toy one"].gpus) == (8, 4)
    assert many.jobs["complete_toy one"].seconds == one.jobs["complete_toy one"].seconds / 4
    assert makespan(tasks, 4) == pytest.approx(sum(task.seconds for task in tasks.values()))
    hours = sum(work.unit_seconds for work in many.work) / 3600
    assert f": {hours:.3g} core-hours" in page(many, [1])


def test_the_page_has_a_row_for_each_phase_and_number_of_cores(config: Config) -> None:
    plan = _plan(config)
    text = page(plan, [1, 3])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert [row[:4] for row in rows if row and row[0] == "Toy" and len(row) > 6] == [
        ["Toy", "reconstruct", "2", "21"],
        ["Toy", "adversarial", "2", "18"],
    ]
    days = {row[0]: row[1] for row in rows if row and row[0] in ("1", "3")}
    assert days["3"] == f"{makespan(plan.tasks(), 3) / 86400:.3g}"


def test_the_program_prints_it_and_writes_what_jobs_ask_for(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("plan", ["--gpus", "2"]) == 0
    assert "Profile `tiny` on one CPU core" in capsys.readouterr().out
    requests = json.loads(LAYOUT.plan.read_text())
    assert requests == cluster_resources(_plan(config))
    assert requests["train_toy two"]["runtime"] >= 15
    assert {name.split()[0] for name in requests} == {"train_base", "train_toy", "complete_toy"}
