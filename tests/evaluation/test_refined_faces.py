from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mdrnets.errors import UserError
from mdrnets.evaluation.refined_faces import (
    FaceScores,
    RefinedFaces,
    load_refined_faces,
    save_refined_faces,
)

SCORES = FaceScores(np.array([1.0, 2.0]), np.array([20.0, np.inf]), np.ones((2, 3), np.float32))
FACES = RefinedFaces(truth=np.zeros((2, 3), np.float32), output=SCORES, coarse=SCORES)


@pytest.mark.parametrize("faces", [FACES, replace(FACES, coarse=None)])
def test_they_are_read_as_they_were_written(tmp_path: Path, faces: RefinedFaces) -> None:
    path = tmp_path / "validation" / "faces.safetensors"
    save_refined_faces(path, faces)
    result = load_refined_faces(path)
    np.testing.assert_array_equal(result.truth, faces.truth)
    for name in ("hole_l1", "psnr", "features"):
        np.testing.assert_array_equal(getattr(result.output, name), getattr(SCORES, name))
    assert (result.coarse is None) == (faces.coarse is None)


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "faces.safetensors"
    save_file({"truth": np.zeros(3)}, path)
    with pytest.raises(UserError, match=r"faces\.safetensors"):
        load_refined_faces(path)
