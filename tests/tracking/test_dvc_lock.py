from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mdrnets.tracking.dvc_lock import DvcLock

LOCK = """
schema: '2.0'
stages:
  train@one:
    params:
      runs/tiny/code.json:
        train.one: {code: abc, options: {lr: 1e-05, betas: [0.5, 1e-05]}}
    outs:
    - {path: model, hash: md5, md5: abc}
"""


@pytest.mark.parametrize(("rate", "current"), [(1e-5, True), (2e-5, False)])
def test_numbers_are_compared_however_dvc_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: float, current: bool
) -> None:
    """Readers of YAML take `1e-05` for a text."""
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(LOCK, encoding="utf-8")
    digest = {"code": "abc", "options": {"lr": rate, "betas": [0.5, rate]}}
    job: Any = SimpleNamespace(outputs=(Path("model"),), path=("train", "one"), digest=digest)
    assert DvcLock().has_current_code(job, Path("runs/tiny/code.json")) is current
