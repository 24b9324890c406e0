"""A finished run of toys, of which one data set has records, and its page."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.evaluation.summary import save_summary
from mdrnets.files import write_text
from mdrnets.files.tables import write_rows
from mdrnets.reporting.claims.finding import (
    BEST,
    COLUMN,
    CONTRADICTED,
    NOT_AS_CLAIMED,
    SUPPORTED,
    Finding,
)
from mdrnets.reporting.tables.trends import write_trends
from mdrnets.tracking.record import MlflowStatus, Record, hashes
from stages.render import main
from tests.helpers.example import make_summary, write_model_config
from tests.helpers.project import LAYOUT, ROOT, SIZE, edit_yaml, write_configuration, write_data

TITLE = "Rendered <noise> & such"
RUN_IDS = ("evaluate-one-toy", "complete-one-toy", "train-one-toy", "train-one-base")
TAKEN = (str(LAYOUT.completions("one", "toy")),)
"""What the first of these executions used although it had changed."""
FINDINGS = (
    Finding(
        BEST,
        "better at 20–40 %",
        "one",
        "FFHQ",
        "L1",
        "20-40",
        SUPPORTED,
        here=-0.5,
        low=-0.75,
        high=-0.25,
        n=5,
        other="toy",
        test="signed rank",
        p=0.0001,
        adjusted_p=0.0002,
        published_metric="L1",
        published=0.25,
        published_other="ict",
        published_verdict=NOT_AS_CLAIMED,
    ),
    Finding(BEST, "better <in> every way", reason="needs scores & such"),
    Finding(COLUMN, "better at 1–20 %", "one", "FFHQ", "PSNR", "1-20", CONTRADICTED, here=-1.5),
)


@pytest.fixture
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: the configuration of the toys alone."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def page_path(tmp_path_factory: pytest.TempPathFactory, make_record: Callable[..., Record]) -> Path:
    """The page."""
    folder = tmp_path_factory.mktemp("finished") / "a prøject"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(
            "mdrnets.exchange.logged_models.send_all", lambda config: None
        )  # tracking has its tests
        _finish(folder, make_record)
        assert main(["report"]) == 0
    return folder / LAYOUT.report("index.html")


def _finish(folder: Path, make_record: Callable[..., Record]) -> None:
    write_configuration(folder)
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile["datasets"]["one"]["title"] = TITLE
    write_data(folder)
    (folder / "reports/published").mkdir(parents=True)
    published = (ROOT / "reports/published/table1.csv").read_text(encoding="utf-8")
    write_text(folder / "reports/published/table1.csv", published.replace("mdrnets", "toy"))

    generator = np.random.default_rng(3)
    for dataset in ("one", "two"):
        summary = make_summary(dataset, "toy", values={"l1": 0.25})
        bins = {name: summary.bins[name] for name in ("1-20", "20-40")}
        save_summary(LAYOUT.summary(dataset, "toy"), summary.model_copy(update={"bins": bins}))
        completions = LAYOUT.completions(dataset, "toy")
        completions.parent.mkdir(parents=True)
        shape = (2, 5, SIZE, SIZE, 3)
        np.save(completions, generator.integers(0, 256, shape, dtype=np.uint8))
        for network in ("toy", "base"):
            path = LAYOUT.model_config(dataset, network)
            write_model_config(path, parameters=1234, steps=11)
    pipeline = Pipeline(load_config())
    for stage in pipeline.stages.values():
        if stage.name in ("claims", "figure1", "figure5", "error_map", "metric_by_ratio", "curves"):
            for output in stage.outputs:
                write_text(output, "a stand-in")
            if stage.outputs[0].suffix == ".png":
                Image.new("RGB", (40, 30), "white").save(stage.outputs[0])
    write_rows(LAYOUT.report("claims.csv"), Finding, FINDINGS)
    write_trends(LAYOUT.report("trends.csv"), {}, titles={})
    _record(pipeline, make_record)
    for name in ("table1", "comparisons"):
        assert main([name]) == 0


def _record(pipeline: Pipeline, make_record: Callable[..., Record]) -> None:
    """RecordStore of what is behind the first data set's scores, its data excepted."""
    for job in pipeline.jobs():
        program, *arguments = job.command.removeprefix("python -m stages.").split()
        name = "-".join([program, *arguments[2:]])
        if name in RUN_IDS:
            status = MlflowStatus(
                tracking_uri="sqlite:///mlflow.db", run_id=f"id-of-{name}", complete=True
            )
            record = make_record(
                name=name,
                stage=program,
                command=job.command,
                status="FINISHED",
                parameters=dict(job.parameters),
                inputs=hashes(job.inputs),
                outputs=hashes(job.outputs),
                taken_inputs=TAKEN if name == RUN_IDS[0] else (),
                mlflow=status,
            )
            write_text(LAYOUT.records / f"{name}.json", record.model_dump_json())
