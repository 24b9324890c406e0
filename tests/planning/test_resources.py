import json
from pathlib import Path

import pytest

from mdrnets.planning.resources import read_planned_seconds, runtime_minutes


def test_the_plan_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert read_planned_seconds(path, "demo") == {}
    request = {"runtime": runtime_minutes(3600), "mem_mb": 1, "disk_mb": 1}
    path.write_text(json.dumps({"train_toy one": request}))
    assert read_planned_seconds(path, "demo") == pytest.approx({"train_toy one": 3600})
