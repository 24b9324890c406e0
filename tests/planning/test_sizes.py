from pathlib import Path

from mdrnets.config.load import load_config
from mdrnets.layout import Layout
from mdrnets.planning.sizes import (
    Images,
    completion_bytes,
    count_images,
    mean_hole,
    packed_bytes,
)


def test_the_papers_numbers_of_images_are_known_before_any_is_there(configs: Path) -> None:
    config = load_config("paper")
    layout = Layout("paper")
    celebahq = count_images(config, layout, "celebahq")
    assert (celebahq.all, celebahq.test) == (30_000, 2_000)
    assert celebahq.labelled == celebahq.train == 28_000 - 100
    ffhq = count_images(config, layout, "ffhq")
    assert ffhq == Images(all=70_000, train=68_000 - 100, labelled=0, test=2_000)


def test_bytes_are_those_of_the_arrays(configs: Path) -> None:
    config = load_config("paper")
    images = {name: count_images(config, Layout("paper"), name) for name in config.profile.datasets}
    packed = packed_bytes(config, images)
    assert packed["images of ffhq"] == 70_000 * 256 * 256 * 3
    assert packed["label maps of celebahq"] == 30_000 * 256 * 256
    assert packed["holes"] == (12_000 + 55_116) * 256 * 256
    assert completion_bytes(config, images["ffhq"]) == 2 * 3 * 2_000 * 256 * 256 * 3


def test_holes_are_as_large_as_the_middle_of_their_bin() -> None:
    assert mean_hole((1, 2)) == 0.1
    assert mean_hole((5, 6)) == 0.5
