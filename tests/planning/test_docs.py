import re
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.layout import REFERENCE
from mdrnets.planning.page import page
from mdrnets.planning.plan import Planner
from mdrnets.planning.speed import DEVICES, Speed, read_measurements

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"<!-- mdrnets plan --profile paper -->\n(.*)\n<!-- end of the plan -->",
    re.S,
)


@pytest.mark.slow
def test_the_printed_plan_is_todays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = load_config("paper")
    measurements = read_measurements(REFERENCE / "throughput_a100.csv")
    speed = Speed(DEVICES["a100"], precision=config.profile.precision, measurements=measurements)
    plan = Planner(config, speed).plan()
    result = BLOCK.search((ROOT / "docs/paper_scale.md").read_text(encoding="utf-8"))
    assert result is not None
    assert result[1].strip() == page(plan, [1, 2, 4, 8])
