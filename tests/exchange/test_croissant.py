import json
import socket
from pathlib import Path
from typing import Any

import mlcroissant as mlc
import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.files import write_text
from mdrnets.files.tables import read_table, write_table
from tests.helpers.project import LAYOUT, edit_yaml, write_configuration, write_data

DESCRIPTION = LAYOUT.run / "croissant.json"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Splits, masks, and what `download` tells of the archives."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    write_data(tmp_path)
    for source in ("noise", "holes", "training"):
        manifest = {
            "source": source,
            "licence": "MIT",
            "files": 12,
            "bytes": 34,
            "sha256": f"{len(source):064x}",
        }
        write_text(LAYOUT.raw_manifest(source), json.dumps(manifest))
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_it_is_valid_and_leads_to_the_tables(project: Path, no_network: None) -> None:
    assert run_command("croissant", []) == 0
    dataset = mlc.Dataset(jsonld=str(DESCRIPTION))
    assert not dataset.metadata.ctx.issues.errors
    assert {record_set.id for record_set in dataset.metadata.record_sets} == {
        *("roles", "splits_holes", "splits_one", "masks_one", "splits_two", "masks_two")
    }

    rows = read_table(LAYOUT.split("one"), ("id", "role", "labelled", "sha256"))
    result = list(dataset.records("splits_one"))
    assert [record["splits_one/role"].decode() for record in result] == [r["role"] for r in rows]
    # Its reader takes 00012 for a number, as the field's description warns.
    assert [int(record["splits_one/id"]) for record in result] == [int(r["id"]) for r in rows]

    (first, *_) = dataset.records("masks_one")
    assert 0 < first["masks_one/ratio"] < 0.2 and first["masks_one/bin"] == b"1-20"
    assert [record["roles/name"] for record in dataset.records("roles")] == [
        *("train", "validation", "test")
    ]


def test_archives_are_named_by_their_hashes_and_licence(project: Path) -> None:
    with edit_yaml(Path("profiles/tiny.yaml")) as profile:
        del profile["holes"]["train"]
        mask = {"polarity": "white_is_hole", "threshold": 0.5}
        profile["holes"] |= {"training": {"source": "training"} | mask, "test": 1.0}
        profile["sources"]["training"] = profile["sources"]["holes"]
    assert run_command("croissant", []) == 0
    distribution = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["distribution"]
    files = {file["@id"]: file for file in distribution}
    assert files["raw/noise.zip"]["sha256"] == f"{5:064x}"
    assert files["raw/noise.zip"]["description"] == "12 files; licence: MIT."
    assert {"raw/holes.zip", "raw/training.zip"} <= files.keys()
    assert files["masks/one.csv"]["contentUrl"] == "masks/one.csv"


def test_it_gives_the_same_bytes_again(project: Path) -> None:
    contents = []
    for _ in range(2):
        assert run_command("croissant", []) == 0
        contents.append(DESCRIPTION.read_bytes())
    assert contents[0] == contents[1]
    assert str(project).encode() not in contents[0]


def test_another_table_than_the_described_one_is_noticed(project: Path) -> None:
    assert run_command("croissant", []) == 0
    write_table(LAYOUT.assignment("one"), ("other",), [["columns"]])
    with pytest.raises(mlc.GenerationError):
        list(mlc.Dataset(jsonld=str(DESCRIPTION)).records("masks_one"))


def test_a_missing_table_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LAYOUT.assignment("two").unlink()
    assert run_command("croissant", []) == 1
    assert "runs/tiny/masks/two.csv: " in capsys.readouterr().err
    assert not DESCRIPTION.exists()
