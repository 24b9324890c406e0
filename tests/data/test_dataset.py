import pickle
from pathlib import Path

import numpy as np
import pytest

from mdrnets.data.dataset import (
    HOLE_SPLIT_COLUMNS,
    SPLIT_COLUMNS,
    TrainingData,
    load_training_data,
    open_label_maps,
)
from mdrnets.errors import UserError
from mdrnets.files.arrays import map_array
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from tests.helpers.hostile_pickle import HostilePickle

LAYOUT = Layout("tiny")
IMAGES = [  # id, role, labelled
    ("a", "test", 1),
    ("b", "train", 0),
    ("c", "train", 1),
    ("d", "validation", 1),
    ("e", "train", 1),
]


@pytest.fixture
def paths(tmp_path, monkeypatch) -> dict[str, Path]:
    """A data set of five images, four labelled, and three holes; row r holds the value r."""
    monkeypatch.chdir(tmp_path)
    files = {name: getattr(LAYOUT, name)("one") for name in ("images", "labels", "split")}
    files |= {"holes": LAYOUT.holes(), "hole_split": LAYOUT.hole_split()}
    files["images"].parent.mkdir(parents=True)
    for name, shape in (("images", (5, 8, 8, 3)), ("labels", (4, 8, 8))):
        values = np.arange(shape[0], dtype=np.uint8).reshape(-1, *[1] * (len(shape) - 1))
        np.save(files[name], np.broadcast_to(values, shape))
    np.save(files["holes"], np.zeros((3, 8, 8), dtype=bool))
    write_table(files["split"], SPLIT_COLUMNS, [(*row, "0" * 64) for row in IMAGES])
    holes = [("0", 1, "test", ""), ("1", 1, "train", ""), ("2", 2, "train", "")]
    write_table(files["hole_split"], HOLE_SPLIT_COLUMNS, holes)
    return files


def _load(*, labels: bool = True) -> TrainingData:
    return load_training_data(LAYOUT, "one", labels=labels)


def test_rows_are_those_for_training(paths) -> None:
    data = _load()
    assert data.image_rows.tolist() == [1, 2, 4]
    assert data.hole_rows.tolist() == [1, 2]
    assert data.images[data.image_rows][:, 0, 0, 0].tolist() == [1, 2, 4]


def test_each_image_has_its_label_map_or_none(paths) -> None:
    maps, rows = open_label_maps(LAYOUT, "one")
    assert maps.shape == (4, 8, 8)
    assert rows.tolist() == [0, -1, 1, 2, 3]


def test_a_label_map_belongs_to_its_image(paths) -> None:
    data = _load()
    assert data.labels is not None
    assert data.labelled_rows.tolist() == [2, 4]
    assert data.labels[data.label_rows][:, 0, 0].tolist() == [1, 3]  # the 2nd and 4th labelled


def test_a_data_set_may_have_no_labels(paths) -> None:
    data = _load(labels=False)
    assert data.labels is None
    assert data.labelled_rows.size == data.label_rows.size == 0
    assert data.image_rows.tolist() == [1, 2, 4]


def test_arrays_are_mapped_and_not_copied(paths) -> None:
    data = _load()
    for array in (data.images, data.labels, data.holes):
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable


@pytest.mark.parametrize("name", ["images", "labels", "holes"])
def test_an_array_that_does_not_fit_its_table_is_named(paths, name) -> None:
    array = np.load(paths[name])
    np.save(paths[name], array[:-1])
    with pytest.raises(UserError, match=rf"{paths[name]}: .*{len(array) - 1} .*{len(array)} "):
        _load()
    np.save(paths[name], array.astype(np.float32))
    with pytest.raises(UserError, match=rf"{paths[name]}: .*float32"):
        _load()
    paths[name].write_bytes(b"\x93NUMPY cut")
    with pytest.raises(UserError, match=rf"{paths[name]}: "):
        _load()
    paths[name].unlink()
    with pytest.raises(UserError, match=rf"{paths[name]}: "):
        _load()


@pytest.mark.parametrize("form", ["pickle", "array"])
def test_an_array_runs_no_code(tmp_path, form) -> None:
    path, hostile = tmp_path / "images.npy", HostilePickle(tmp_path / "ran")
    if form == "pickle":
        path.write_bytes(pickle.dumps(hostile))
    else:
        np.save(path, np.array([hostile], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match=r"images\.npy: "):
        map_array(path, remedy="run the pack stage")
    assert not hostile.ran


def test_sizes_must_agree(paths) -> None:
    np.save(paths["holes"], np.zeros((3, 16, 16), dtype=bool))
    with pytest.raises(UserError, match=rf"{paths['images']} .*8×8.*{paths['holes']} .*16×16"):
        _load()


def test_something_must_train(paths) -> None:
    write_table(paths["split"], SPLIT_COLUMNS, [(i, "test", n, "") for i, _, n in IMAGES])
    with pytest.raises(UserError, match=str(paths["split"])):
        _load()
    write_table(paths["split"], SPLIT_COLUMNS, [(*row, "") for row in IMAGES])
    holes = [(str(n), 1, "test", "") for n in range(3)]
    write_table(paths["hole_split"], HOLE_SPLIT_COLUMNS, holes)
    with pytest.raises(UserError, match=str(paths["hole_split"])):
        _load()
