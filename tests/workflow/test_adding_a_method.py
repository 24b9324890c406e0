"""A method from outside the package, and finished completions, become rows of the table."""

import re
import shutil
import textwrap

import pytest
import yaml

from tests.helpers.project import edit_yaml
from tests.workflow.conftest import PROJECT, Copy

DOCUMENT = PROJECT / "docs" / "adding_a_method.md"


@pytest.fixture(scope="module")
def with_two_methods(project_copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The document's own example, and an external row, added as the document says.

    DVC ran before: its digests are those of the other methods.
    """
    copy = project_copy.clone(tmp_path_factory.mktemp("added") / "project")
    copy.run("dvc", "repro", "code")
    text = DOCUMENT.read_text(encoding="utf-8")
    (copy.root / "my_methods").mkdir()
    with edit_yaml(copy.root / "params.yaml") as params:
        for name in ("small_network", "mean_fill"):
            params["methods"][name] = _entry(text, name)
            (copy.root / f"my_methods/{name}.py").write_text(_module(text, name))
        params["methods"]["given"] = {"title": "Given", "completions": "given/{dataset}.zip"}
    with edit_yaml(copy.root / "profiles/smoke.yaml") as profile:
        methods = ["small_network", "mean_fill", "biharmonic", "given"]
        options = {"small_network": {"steps": 3, "batch_size": 2, "width": 4}}
        profile |= {"methods": methods, "variants": [], "networks": options}
    copy.run("python", "workflow/dvc_yaml.py")
    return copy


def _module(text: str, name: str) -> str:
    """The code block of the document for this module, which is at most as long as it says."""
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    title = name.replace("_", " ").capitalize()
    (code,) = [textwrap.dedent(block) for _, block in blocks if f'"""{title}:' in block]
    return code


def _entry(text: str, name: str) -> dict[str, object]:
    """What the document adds to params.yaml for this method."""
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    entries = [yaml.safe_load(textwrap.dedent(block))["methods"] for block in blocks]
    (entry,) = [entry[name] for entry in entries if isinstance(entry, dict) and name in entry]
    return entry


def test_they_become_rows_of_the_table(with_two_methods: Copy) -> None:
    copy = with_two_methods
    copy.run("dvc", "repro", "complete_mean_fill")
    copy.run("python", "-c", _EXPORT)
    copy.run("python", "-m", "mdrnets", "check-completions", "given/rendered_a.zip")
    copy.snakemake("reproduce_table1")
    table = (copy.root / "reports/smoke/table1.csv").read_text(encoding="utf-8").splitlines()
    columns = table[0].split(",")
    rows = [dict(zip(columns, line.split(","), strict=False)) for line in table[1:]]
    values = {
        name: [row["value"] for row in rows if row["method"] == name]
        for name in ("small_network", "mean_fill", "given", "biharmonic")
    }
    assert len(set(values["small_network"])) == 12
    assert len(values["mean_fill"]) == 12
    assert values["given"] == values["mean_fill"]  # the same pictures, scored as another row
    assert values["biharmonic"] != values["mean_fill"]
    text = (copy.root / "reports/smoke/table1.md").read_text(encoding="utf-8")
    assert "Given: completed by other software" in text
    assert "Mean fill: nothing to train" in text


def test_a_missing_image_is_listed(with_two_methods: Copy) -> None:
    copy = with_two_methods
    shutil.rmtree(copy.root / "given", ignore_errors=True)
    (copy.root / "given/rendered_a.zip").mkdir(parents=True)  # a folder of this name will do
    done = copy.run("python", "-m", "stages.collect", "rendered_a", "given", check=False)
    assert done.returncode == 1
    assert "given/rendered_a.zip: 24 missing images (1-20/00472" in done.stdout


_EXPORT = """
import zipfile, io
from pathlib import Path
import numpy as np
from PIL import Image
from mdrnets.data.assignment import by_bin, read_assignment
bins = by_bin(read_assignment(Path("runs/smoke/masks/rendered_a.csv")), ["1-20", "20-40", "40-60"])
arrays = np.load("runs/smoke/completions/rendered_a/mean_fill.npy")
Path("given").mkdir(exist_ok=True)
with zipfile.ZipFile("given/rendered_a.zip", "w") as archive:
    for (name, pairs), images in zip(bins.items(), arrays):
        for pair, image in zip(pairs, images):
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "PNG")
            archive.writestr(f"{name}/{pair.image}.png", buffer.getvalue())
"""
