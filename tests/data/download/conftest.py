"""Sources that are published, and what publishes them."""

from pathlib import Path

import pytest

from mdrnets.data.download.publish import Manifest, publish_archive

MEMBERS = {f"{n:05}.png": f"image {n}".encode() for n in range(4)}


@pytest.fixture
def archive(tmp_path) -> Path:
    """Where the sources of these tests are published."""
    return tmp_path / "run" / "raw" / "faces.zip"


@pytest.fixture
def publish(archive):
    """Publish a path as an archive of four files; settings override these."""

    def run(path: Path, **settings) -> Manifest:
        defaults = {"source": "faces", "files": 4, "sha256": None, "licence": "MIT"}
        return publish_archive(path, archive, **(defaults | settings))

    return run


def write_folder(path: Path, names: list[str]) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(MEMBERS[name])
    return path
