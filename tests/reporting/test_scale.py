from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.load import Config
from mdrnets.data.dataset import SPLIT_COLUMNS
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from mdrnets.reporting.scale import UNTRAINED, find_limits, headline, training_share
from tests.helpers.example import make_config

PHOTOGRAPHS = {"set_a": "CelebA-HQ", "set_b": "FFHQ"}
LARGE = {"image_size": 256, "frechet": "inception-v3"}
HALF = {"epochs": 22.5}
LAYOUT = Layout("tiny")


@pytest.fixture(autouse=True)
def splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many training images as in the paper, and more of the second data set."""
    monkeypatch.chdir(tmp_path)
    for name, count in (("set_a", 28000), ("set_b", 30000)):
        _write_split(name, count)


def _write_split(name: str, count: int) -> None:
    rows = [(number, "train" if number < count else "test", 0, "") for number in range(count + 9)]
    write_table(LAYOUT.split(name), SPLIT_COLUMNS, rows)


def _config(
    titles: dict[str, str] = PHOTOGRAPHS, mdrnets: dict[str, Any] = HALF, **profile: Any
) -> Config:
    config = make_config()
    datasets = {
        name: dataset.model_copy(update={"title": titles[name]})
        for name, dataset in config.profile.datasets.items()
    }
    networks = config.profile.networks | {"mdrnets": mdrnets}
    changed = config.profile.model_copy(
        update={"datasets": datasets, "networks": networks} | LARGE | profile
    )
    return config.model_copy(update={"profile": changed})


def test_a_run_at_the_papers_scale_decides() -> None:
    assert find_limits(_config()) == []
    assert "cannot" not in headline(_config())


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"titles": PHOTOGRAPHS | {"set_b": "Rendered faces B"}}, "rendered faces"),
        ({"image_size": 128}, "128×128 pixels"),
        ({"mdrnets": {"epochs": 22.4}}, "49 % of the paper's training"),
        ({"mdrnets": {"epochs": 13.05}}, "29 % of the paper's training"),
        ({"mdrnets": {"steps": 5000, "batch_size": 8}}, "3 % of the paper's training"),
        ({"mdrnets": {"steps": 500}}, "0.3 % of the paper's training"),
        ({"methods": ("pconv",)}, UNTRAINED),
        ({"frechet": "effnet-lite0"}, "FD(effnet-lite0) in place of FID"),
    ],
)
def test_each_limit_alone_keeps_a_run_from_deciding(changes: dict[str, Any], limit: str) -> None:
    assert find_limits(_config(**changes)) == [limit]
    assert limit in headline(_config(**changes))


def test_epochs_and_steps_are_counted_alike() -> None:
    steps = 45 * 28000 // 8
    assert training_share(_config(mdrnets={"steps": steps, "batch_size": 8})) == 1
    assert training_share(_config(mdrnets={"epochs": 45})) == 1
    _write_split("set_b", 2800)  # a part of the data set
    assert training_share(_config(mdrnets={"epochs": 45})) == 0.1
    assert find_limits(_config(mdrnets={"epochs": 45})) == ["10 % of the paper's training"]
