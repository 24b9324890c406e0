import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdrnets.data.assignment import Pair, assign, by_bin, read_assignment
from mdrnets.errors import UserError
from mdrnets.files.tables import write_rows

BINS = {"1-20": (1, 2), "20-40": (3, 4), "40-60": (5, 6)}


def _split(roles: list[str]) -> list[dict[str, str]]:
    return [{"id": f"{at:05}", "role": role} for at, role in enumerate(roles)]


def _hole_split(test: int, validation: int = 0, train: int = 1) -> list[dict[str, str]]:
    """So many holes of each role in each step."""
    roles = ["test"] * test + ["validation"] * validation + ["train"] * train
    return [
        {"id": f"{1000 * step + at:05}", "step": str(step), "role": role}
        for step in range(1, 7)
        for at, role in enumerate(roles)
    ]


def _holes(rows: int) -> np.ndarray:
    """Row r has a hole of r + 1 pixels."""
    return (np.arange(400) <= np.arange(rows)[:, None]).reshape(rows, 20, 20)


def _assign(split, hole_split, *, seed=1, dataset="faces", bins=BINS) -> list[Pair]:
    holes = _holes(len(hole_split))
    return assign(split, hole_split, holes, bins=bins, seed=seed, dataset=dataset)


@given(
    roles=st.lists(st.sampled_from(["test", "validation", "train"]), max_size=12),
    spare=st.integers(0, 3),
    validation=st.integers(0, 3),
    seed=st.integers(0, 2**32),
)
def test_every_image_has_a_hole_of_its_own_in_every_bin(roles, spare, validation, seed) -> None:
    split = _split(roles)
    hole_split = _hole_split(test=-(-roles.count("test") // 2) + spare, validation=validation)
    pairs = _assign(split, hole_split, seed=seed)
    counts = {
        "test": roles.count("test"),
        "validation": min(roles.count("validation"), 2 * validation),
    }
    for role, count in counts.items():
        images = [row["id"] for row in split if row["role"] == role][:count]
        for name, steps in BINS.items():
            result = [pair for pair in pairs if (pair.role, pair.bin) == (role, name)]
            assert [pair.image for pair in result] == images
            assert len({pair.hole for pair in result}) == count
            for pair in result:
                assert split[pair.image_row]["id"] == pair.image
                hole = hole_split[pair.hole_row]
                assert (hole["id"], hole["role"]) == (pair.hole, role)
                assert int(hole["step"]) in steps
                assert pair.ratio == (pair.hole_row + 1) / 400
    assert len(pairs) == 3 * sum(counts.values())


@given(seed=st.integers(0, 2**32), data=st.data())
def test_the_draw_is_repeatable_and_knows_no_order_and_no_other_bin(seed, data) -> None:
    split, hole_split = _split(["test"] * 4), _hole_split(test=5)
    pairs = _assign(split, hole_split, seed=seed)
    assert _assign(split, hole_split, seed=seed) == pairs
    alone = _assign(split, hole_split, seed=seed, bins={"20-40": (3, 4)})
    assert alone == [pair for pair in pairs if pair.bin == "20-40"]
    permuted = _assign(split, data.draw(st.permutations(hole_split)), seed=seed)
    assert [(p.image, p.hole) for p in permuted] == [(p.image, p.hole) for p in pairs]


def test_seed_and_data_set_change_the_draw() -> None:
    split, hole_split = _split(["test"] * 20), _hole_split(test=20)
    draws = [
        _assign(split, hole_split, seed=seed, dataset=dataset)
        for seed, dataset in [(1, "a"), (2, "a"), (1, "b")]
    ]
    for name in BINS:
        holes = [tuple(p.hole for p in pairs if p.bin == name) for pairs in draws]
        assert len(set(holes)) == 3


def test_too_few_holes_are_told_with_both_counts() -> None:
    hole_split = [row for row in _hole_split(test=2) if row["id"] != "06000"]
    with pytest.raises(UserError, match=r"faces, bin 40-60: .*3 test holes.*4 test images"):
        _assign(_split(["test"] * 4), hole_split)


def test_validation_images_are_the_same_in_all_bins() -> None:
    hole_split = [row for row in _hole_split(test=1, validation=1) if row["id"] != "05001"]
    pairs = _assign(_split(["validation", "train", "validation", "test"]), hole_split)
    validation = [(pair.bin, pair.image) for pair in pairs if pair.role == "validation"]
    assert validation == [(name, "00000") for name in BINS]


def test_pairs_are_read_as_they_were_written(tmp_path) -> None:
    pairs = _assign(_split(["test", "validation", "test"]), _hole_split(test=1, validation=1))
    path = tmp_path / "faces.csv"
    write_rows(path, Pair, pairs)
    header = path.read_text().splitlines()[0]
    assert header == "image,image_row,bin,hole,hole_row,ratio,role"
    for role in ("test", "validation"):
        assert read_assignment(path, role=role) == [pair for pair in pairs if pair.role == role]
    assert read_assignment(path) == read_assignment(path, role="test")


def _pair(image_row: int, bin_name: str) -> Pair:
    return Pair(str(image_row), image_row, bin_name, "0", 0, 0.1, "test")


def test_pairs_are_grouped_in_the_order_of_the_bins() -> None:
    pairs = [_pair(row, name) for name in ("b", "a") for row in (4, 2)]
    grouped = by_bin(pairs, ["a", "b"])
    assert list(grouped) == ["a", "b"]
    assert [pair.image_row for pair in grouped["a"]] == [4, 2]


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [_pair(1, "a")],
        [_pair(1, "a"), _pair(2, "b")],
        [_pair(1, "a"), _pair(2, "a"), _pair(2, "b"), _pair(1, "b")],
    ],
)
def test_bins_with_other_images_are_refused(pairs: list[Pair]) -> None:
    with pytest.raises(UserError, match="bins a, b"):
        by_bin(pairs, ["a", "b"])
