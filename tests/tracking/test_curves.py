import math
from pathlib import Path

from mdrnets.tracking.curves import append_point, curves_path, last_step, read_points


def test_points_are_read_from_where_one_stopped(tmp_path: Path) -> None:
    path = curves_path(tmp_path / "a.json")
    append_point(path, 10, {"loss": 0.5})
    first, offset = read_points(path)
    append_point(path, 20, {"loss": math.nan})
    second, _ = read_points(path, offset)
    assert [point["step"] for point in first] == [10]
    assert [point["step"] for point in second] == [20]
    assert math.isnan(second[0]["values"]["loss"])
    assert last_step(path) == 20


def test_a_half_written_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    append_point(path, 1, {"loss": 0.5})
    with path.open("a") as file:
        file.write('{"step": 2, "ti')
    assert last_step(path) == 1
    append_point(path, 3, {"loss": 0.25})
    assert [point["step"] for point in read_points(path)[0]] == [1, 3]


def test_without_curves_there_is_no_step(tmp_path: Path) -> None:
    assert last_step(tmp_path / "none.jsonl") == -1
    assert read_points(tmp_path / "none.jsonl") == ([], 0)
