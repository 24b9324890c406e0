"""The curves of an execution: a file of JSON lines, which grows while the stage runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mdrnets.files.text import DAMAGED_JSON
from mdrnets.tracking.record import now

WRONG_VALUES = (TypeError, KeyError, AttributeError, OverflowError)
"""What reading a point raises if it is JSON, but no point."""


def curves_path(path: Path) -> Path:
    """The file of curves that belongs to a record's file."""
    return path.with_suffix(".jsonl")


def append_point(path: Path, step: int, values: Mapping[str, float]) -> None:
    """Add a line: step, milliseconds since 1970, values by name."""
    point = {"step": step, "time": int(now().timestamp() * 1000), "values": dict(values)}
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(point) + "\n")


def read_points(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Read the points from a byte offset on; also returns the offset of the end.

    An incomplete line, left by a killed process, and damaged ones are skipped.
    """
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.read()
    end = lines.rfind(b"\n") + 1
    points = [point for point in map(_parse_point, lines[:end].split(b"\n")) if point]
    return points, offset + end


def _parse_point(line: bytes) -> dict[str, Any] | None:
    """What `append_point` wrote; None for anything else, such as a damaged line."""
    try:
        point = json.loads(line)
        values = {str(name): float(value) for name, value in point["values"].items()}
        return {"step": int(point["step"]), "time": int(point["time"]), "values": values}
    except (*DAMAGED_JSON, *WRONG_VALUES):
        return None


def last_step(path: Path) -> int:
    """The highest step of the curves, −1 without any; completes an incomplete last line."""
    points, end = read_points(path)
    if path.exists() and path.stat().st_size > end:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    return max((point["step"] for point in points), default=-1)
