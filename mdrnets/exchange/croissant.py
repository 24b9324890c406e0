"""Splits, masks and their assignment as a Croissant description (https://mlcommons.org/croissant).

The file is written next to the tables that it describes, since its addresses are relative. The
archives of faces and masks are not copied; they are named by their SHA-256.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlcroissant as mlc

from mdrnets.config.load import Config
from mdrnets.dag.pipeline import snakemake_command
from mdrnets.data.assignment import Pair
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.data.download.publish import Manifest
from mdrnets.errors import UserError
from mdrnets.exchange.links import LICENCE, PAPER
from mdrnets.files import sha256
from mdrnets.files.tables import field_names
from mdrnets.files.text import read_json_as
from mdrnets.layout import Layout

CITATION = (
    "@article{mdrnets, title={Coarse-to-fine Memory-Disentangled Refinement Networks for "
    "coordinated face inpainting}, journal={arXiv:2204.02824}, year={2022}}"
)
TEXT, INTEGER, FLOAT = mlc.DataType.TEXT, mlc.DataType.INTEGER, mlc.DataType.FLOAT
FIELDS = {
    "id": (
        TEXT,
        "Name of the file in its archive, without suffix; leading zeros belong to it. `training/` "
        "before it: of the archive of masks for training.",
    ),
    "role": (TEXT, "train, validation or test; unused: all or none of the mask is a hole."),
    "labelled": (INTEGER, "1: there is a label map of this name."),
    "sha256": (TEXT, "Of the file's bytes."),
    "step": (
        INTEGER,
        "10 % step of the hole ratio: 1 is (0, 10] %, 6 is (50, 60] %; 0: only for training.",
    ),
    "image": (TEXT, "Name of the image."),
    "image_row": (INTEGER, "Position of the image in its split, from 0."),
    "bin": (TEXT, "Hole ratios of the column of Table 1, in %."),
    "hole": (TEXT, "Name of the mask; white is the hole."),
    "hole_row": (INTEGER, "Position of the mask in its split, from 0."),
    "ratio": (FLOAT, "Hole pixels / all pixels, at the size of the profile."),
}
ROLES = {
    "train": "https://mlcommons.org/definitions/training_split",
    "validation": "https://mlcommons.org/definitions/validation_split",
    "test": "https://mlcommons.org/definitions/test_split",
}


def describe(config: Config) -> dict[str, Any]:
    """The description of a profile's splits and masks, as JSON-LD.

    Raises:
        UserError: a table is missing.
    """
    layout = Layout(config.name)
    archives = [_archive(layout, name) for name in _sources(config)]
    holes = layout.hole_split()
    tables = [holes]
    sets = [
        _roles(),
        _records(layout, holes, HOLE_SPLIT_COLUMNS, "Masks and their roles.", {}),
    ]
    for name, dataset in config.profile.datasets.items():
        split, assignment = layout.split(name), layout.assignment(name)
        tables += [split, assignment]
        sets += [
            _records(layout, split, SPLIT_COLUMNS, f"{dataset.title}: images and roles.", {}),
            _records(
                layout,
                assignment,
                field_names(Pair),
                f"{dataset.title}: the mask of each image in each bin.",
                {"image": split, "hole": holes},
            ),
        ]
    metadata = mlc.Metadata(
        name=f"mdrnets-{config.name}-splits",
        description=f"Splits and masks of the profile {config.name}: {config.profile.description}. "
        "The data sets themselves have terms of their own.",
        license=[LICENCE],
        url=PAPER,
        cite_as=CITATION,
        version="1.0.0",
        distribution=[*archives, *(_table(layout, path) for path in tables)],
        record_sets=sets,
    )
    description: dict[str, Any] = metadata.to_json()
    return description


def _sources(config: Config) -> list[str]:
    """The archives of faces, label maps and masks."""
    names = []
    for dataset in config.profile.datasets.values():
        names += [dataset.faces, *([dataset.labels.source] if dataset.labels else [])]
    return list(dict.fromkeys([*names, *config.profile.holes.sources.values()]))


def _archive(layout: Layout, source: str) -> mlc.FileObject:
    described = layout.raw_manifest(source)
    manifest = read_json_as(
        Manifest, described, remedy=f"run `{snakemake_command(layout.run.name, described)}`"
    )
    path = layout.raw(source).relative_to(layout.run).as_posix()
    return mlc.FileObject(
        id=path,
        name=path,
        description=f"{manifest.files} files; licence: {manifest.licence}.",
        content_url=path,
        content_size=f"{manifest.bytes} B",
        encoding_formats=["application/zip"],
        sha256=manifest.sha256,
    )


def _table(layout: Layout, path: Path) -> mlc.FileObject:
    if not path.is_file():
        raise UserError(f"{path}: not found; run `{snakemake_command(layout.run.name, path)}`")
    name = path.relative_to(layout.run).as_posix()
    return mlc.FileObject(
        id=name,
        name=name,
        content_url=name,
        encoding_formats=["text/csv"],
        sha256=sha256(path),
    )


def _records(
    layout: Layout,
    path: Path,
    columns: Sequence[str],
    description: str,
    references: Mapping[str, Path],
) -> mlc.RecordSet:
    """The rows of a table; `references`: column → the table whose `id` it is."""
    name = "_".join(path.relative_to(layout.run).with_suffix("").parts)
    fields = [
        mlc.Field(
            id=f"{name}/{column}",
            name=column,
            description=FIELDS[column][1],
            data_types=[FIELDS[column][0]],
            source=_column(layout, path, column),
            references=_column(layout, references[column], "id")
            if column in references
            else mlc.Source(),
        )
        for column in columns
    ]
    return mlc.RecordSet(id=name, name=name, description=description, fields=fields)


def _column(layout: Layout, path: Path, column: str) -> mlc.Source:
    table = path.relative_to(layout.run).as_posix()
    return mlc.Source(file_object=table, extract=mlc.Extract(column=column))


def _roles() -> mlc.RecordSet:
    fields = [
        mlc.Field(id="roles/name", name="name", data_types=[TEXT]),
        mlc.Field(id="roles/url", name="url", data_types=[mlc.DataType.URL]),
    ]
    return mlc.RecordSet(
        id="roles",
        name="roles",
        description="What images and masks are used for.",
        data_types=[mlc.DataType.SPLIT],
        key=["roles/name"],
        fields=fields,
        data=[{"roles/name": name, "roles/url": url} for name, url in ROLES.items()],
    )
