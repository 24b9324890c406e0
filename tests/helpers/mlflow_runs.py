"""Runs in MLflow, and the times of the executions that they show."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mdrnets.tracking.mlflow_store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run

BEGIN = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
END = datetime(2026, 5, 1, 12, 1, 30, tzinfo=UTC)


def list_runs(store: Store, filter_string: str = "tags.stage = 'train'") -> "list[Run]":
    return list(store.client.search_runs([store.experiment], filter_string))
