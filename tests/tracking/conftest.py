from collections.abc import Iterator
from pathlib import Path

import pytest

from mdrnets.tracking.mlflow_store import Store, open_store
from mdrnets.tracking.record_store import RecordStore


@pytest.fixture
def records(configs: Path) -> RecordStore:
    return RecordStore(Path("runs/smoke/records"))


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with open_store("smoke") as opened:
        yield opened
