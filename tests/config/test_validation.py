from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.load import load_config
from mdrnets.config.options import TrainOptions
from mdrnets.config.validation import RENAMED_KEYS, RENAMED_VALUES, validate_options
from mdrnets.errors import UserError
from tests.config.conftest import Change, load_error


@pytest.mark.parametrize("file", ["params.yaml", "profiles/smoke.yaml"])
def test_an_unknown_key_is_named_with_its_file(change: Change, file: str) -> None:
    change(file, lambda values: values.update(sede=1))
    message = load_error()
    assert message == f"{file}: sede: unknown key"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("params.yaml", "parts", "components"),
        ("params.yaml", "methods.mdrnets.completes_with", "inference_uses"),
        ("params.yaml", "ablated", "ablation_base"),
        ("params.yaml", "classwise", "per_class"),
        ("params.yaml", "per_class.against", "baseline"),
        ("params.yaml", "per_class.min_pairs", "min_images"),
        ("profiles/paper.yaml", "datasets.celebahq.split.others_every", "test_every"),
        ("profiles/paper.yaml", "datasets.celebahq.stands_for", "published_as"),
        ("profiles/paper.yaml", "sources.ffhq_faces.shrink", "downscale"),
        ("profiles/paper.yaml", "holes.white", "polarity"),
        ("profiles/paper.yaml", "holes.training.white", "polarity"),
    ],
)
def test_an_old_key_is_refused_with_its_new_name(
    change: Change, file: str, old: str, new: str
) -> None:
    *above, name = old.split(".")
    assert RENAMED_KEYS[name] == new

    def restore_old_key(values: dict[str, Any]) -> None:
        for key in above:
            values = values[key]
        values[name] = values.pop(new, 10)

    change(file, restore_old_key)
    message = load_error("paper")
    assert message.startswith(f"{file}: {old}: ") and f"`{new}" in message and ";" in message
    assert message.count(": renamed") == 1 and "required" not in message


@pytest.mark.parametrize("keys", ["holes", "holes.training"])
@pytest.mark.parametrize("old", ["hole", "valid"])
def test_an_old_polarity_is_refused_with_its_new_value(change: Change, keys: str, old: str) -> None:
    def restore_old_value(values: dict[str, Any]) -> None:
        for key in keys.split("."):
            values = values[key]
        values["polarity"] = old

    change("profiles/paper.yaml", restore_old_value)
    message = load_error("paper")
    assert message.startswith(f"profiles/paper.yaml: {keys}.polarity: ")
    assert RENAMED_VALUES["polarity"][old] in message


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("image_size",), 8),
        (("image_size",), "64"),
        (("threads",), 0),
        (("device",), "tpu"),
        (("completion_batch",), 0),
        (("training", "log_every"), 0),
        (("sources", "holes", "files"), 0),
        (("sources", "holes", "sha256"), "abc"),
        (("datasets", "rendered_a", "published_as"), "ImageNet"),
        (("datasets", "rendered_a", "split", "test"), 0),
        (("holes", "train"), 1.5),
    ],
)
def test_a_bad_value_is_named_with_its_key(
    change: Change, keys: tuple[str, ...], value: object
) -> None:
    def spoil(values: dict[str, Any]) -> None:
        for key in keys[:-1]:
            values = values[key]
        values[keys[-1]] = value

    change("profiles/smoke.yaml", spoil)
    assert f"profiles/smoke.yaml: {'.'.join(keys)}: " in load_error()


def test_a_networks_options_name_where_they_stand() -> None:
    assert validate_options(TrainOptions, {"steps": 1, "batch_size": 2}, where="x").steps == 1
    with pytest.raises(UserError, match=r"^p\.yaml: networks\.coarse: steps: "):
        validate_options(
            TrainOptions, {"steps": 0, "batch_size": 2}, where="p.yaml: networks.coarse"
        )


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"steps": "many", "batch_size": 2}, "'many'"),
        ({"steps": [7] * 90, "batch_size": 2}, "…"),
        ({"steps": "https://me:secret@x.org/?t=secret", "batch_size": 2}, "x.org/"),
    ],
)
def test_a_wrong_value_is_shown_in_short_and_without_secrets(
    values: dict[str, object], text: str
) -> None:
    with pytest.raises(UserError, match=r"^p\.yaml: steps: ") as raised:
        validate_options(TrainOptions, values, where="p.yaml")
    message = str(raised.value)
    assert text in message and "secret" not in message and len(message) < 200


def test_each_problem_is_named_with_its_line(configs: Path) -> None:
    path = Path("profiles/smoke.yaml")
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("image_size", "threads")):
            lines[number] = line.partition(":")[0] + ": many"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_config("smoke")
    for key in ("image_size", "threads"):
        number = next(n for n, line in enumerate(lines, 1) if line.startswith(key))
        assert f"{path}:{number}: {key}: " in str(raised.value)
