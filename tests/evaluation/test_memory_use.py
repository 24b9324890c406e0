from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mdrnets.errors import UserError
from mdrnets.evaluation.memory_use import ARRAYS, MemoryUse, load_memory_use, save_memory_use


def _use() -> MemoryUse:
    generator = np.random.default_rng(0)
    return MemoryUse(
        chosen=np.array([[3, 0], [0, 0]]),
        entropy=np.array([0.5, np.nan]),
        length=np.array([0.3, np.nan]),
        slots=np.array([[0], [-1]]),
        images=np.array([[[4, 2]], [[-1, -1]]]),
        cosines=np.array([[[0.9, 0.8]], [[0, 0]]], dtype=np.float32),
        regions=generator.random((2, 1, 2, 8, 8)) < 0.5,
    )


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "inspection" / "memory.safetensors"
    save_memory_use(path, _use())
    result = load_memory_use(path)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(result, name), getattr(_use(), name))
        assert getattr(result, name).dtype == getattr(_use(), name).dtype


def test_equal_uses_are_equal_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        save_memory_use(path, _use())
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "memory.safetensors"
    save_file({"chosen": np.zeros(3)}, path)
    with pytest.raises(UserError, match=r"memory\.safetensors"):
        load_memory_use(path)
