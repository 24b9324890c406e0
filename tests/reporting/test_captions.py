from collections.abc import Iterator
from pathlib import Path

import pytest

from mdrnets.config.load import Config, load_config
from mdrnets.config.profile_files import PROFILES
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.report import list_curve_networks
from mdrnets.reporting.captions import Caption, caption
from mdrnets.reporting.tables.trends import MIN_POINTS


def _captions(config: Config) -> Iterator[tuple[Path, Caption]]:
    """Of every output that people read; one without a caption ends in a KeyError."""
    for stage in Pipeline(config).stages.values():
        if stage.group == "report":
            read = (path for path in stage.outputs if path.suffix != ".json")
            yield from ((path, caption(path.stem, config)) for path in read)


@pytest.mark.parametrize("profile", sorted(path.stem for path in PROFILES.glob("*.yaml")))
def test_every_output_of_the_report_has_a_caption(profile: str) -> None:
    captions = list(_captions(load_config(profile)))
    assert captions
    for path, (title, text) in captions:
        assert title and not title.endswith("."), path
        assert text.endswith(".") and ". " not in text, path


def test_the_caption_of_trends_says_which_are_left_out() -> None:
    config = load_config("demo")
    curves = list_curve_networks(config)
    assert config.profile.variants and not [name for name in curves if "@" in name]
    assert MIN_POINTS == 5
    text = caption("trends", config).text
    assert "but the variants" in text and "fewer than five logged means in that half" in text


def test_what_shows_variants_has_its_title_from_the_protocol() -> None:
    config = load_config("demo")
    titles = {
        "table2": config.ablations["table2"].title,
        "figure6a": config.figures["figure6a"].title,
    }
    for name, title in titles.items():
        assert caption(name, config).title == title
        assert "of MDRNets" in caption(name, config).text
