"""What requests to MLflow share: names and values that it accepts, and the search for runs."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from mdrnets.tracking.mlflow_store import Store
from mdrnets.tracking.record import Record

if TYPE_CHECKING:
    from mlflow.entities import Run

METRICS, PARAMETERS = 1000, 100
"""The most that MLflow accepts in one request."""
PARAMETER_LENGTH = 6000

Item = TypeVar("Item")


def running_runs(store: Store, tag: str) -> "list[Run]":
    """The runs that have not ended and have a tag."""
    runs = store.client.search_runs([store.experiment], "attributes.status = 'RUNNING'")
    return [run for run in runs if tag in run.data.tags]


def find_run(store: Store, tag: str, value: str) -> "Run | None":
    """The run with this value of a tag, if there is one."""
    runs = store.client.search_runs([store.experiment], f"tags.`{tag}` = '{value}'")
    # MLflow repeats a request that a busy server answers too late, which makes a second run.
    for repeated in runs[1:]:
        store.client.delete_run(repeated.info.run_id)
    return runs[0] if runs else None


def common_tags(record: Record, *, source: str) -> dict[str, str]:
    """The tags that runs of stages and of workflows have; `source`: the command of the run."""
    tags = {
        "profile": record.profile,
        "engine": record.engine,
        "git_dirty": str(record.git.dirty),
        "mlflow.source.name": source,
    }
    if record.git.commit:
        tags["mlflow.source.git.commit"] = record.git.commit
    return tags


def flat_parameters(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters without the name of their file; nested keys are joined by dots.

    Those of a network keep their prefix, since it has a seed like params.yaml.
    """
    for key, value in values.items():
        file, _, name = key.partition(":")
        yield from _leaves(name if file.endswith(".yaml") else f"{file}.{name}", value)


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}" if key else name, inner)
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        yield metric_key(key), text[:PARAMETER_LENGTH]


def metric_key(name: str) -> str:
    """A name without the characters that MLflow refuses."""
    return re.sub(r"[^\w./ :-]", "_", name)


def chunks(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
