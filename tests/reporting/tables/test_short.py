from dataclasses import replace

from mdrnets.evaluation.summary import over_trainings
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.short import format_short_table1
from tests.helpers.example import BINS, make_config, make_summary


def test_images_are_counted_once_for_all_trainings() -> None:
    config = make_config()
    config = config.model_copy(update={"profile": config.profile.model_copy(update={"seeds": 3})})
    trainings = [make_summary("set_a", "pconv", images=60)] * 3
    table = build_table(
        table1_metrics(config.profile.frechet),
        bins=BINS,
        datasets=config.profile.datasets,
        methods={"pconv": "PConv", "ict": "ICT"},
        run=config.profile.methods,
        summaries={("set_a", "pconv"): over_trainings(trainings)},
        published={},
    )
    title, _ = format_short_table1(table.cells, config, "set_a")
    assert "Rendered faces A, 60 test images" in title

    gone = [replace(cell, method="gone") for cell in table.cells if cell.method == "pconv"]
    assert format_short_table1([*table.cells, *gone], config, "set_a")[0] == title
