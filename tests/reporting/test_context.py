from typing import get_args

import pytest

from mdrnets.config.load import Config
from mdrnets.config.protocol import External, Network, Variant
from mdrnets.evaluation.summary import Estimate
from mdrnets.reporting.context import (
    FEATURES,
    SSIM,
    collect_extended_notes,
    collect_notes,
    describe_run,
    describe_training,
    describe_values,
)
from mdrnets.reporting.tables.summaries import Summaries
from mdrnets.tracking.provenance import GitState
from tests.helpers.example import make_config, make_summary

CLEAN = GitState(commit="0123456789abcdef0123456789abcdef01234567", dirty=False)


@pytest.fixture
def config() -> Config:
    return make_config()


@pytest.fixture
def summaries() -> dict:
    return {("set_a", "pconv"): make_summary("set_a", "pconv")}


def test_the_run_is_described(config: Config, summaries: Summaries) -> None:
    facts = dict(describe_run(config, summaries, CLEAN))
    assert facts["Data"] == (
        "Rendered faces A with 60 test images, beside the paper's CelebA-HQ; "
        "Rendered faces B, beside the paper's FFHQ"
    )
    first = {"set_a": config.profile.datasets["set_a"]}
    (data, *_) = describe_run(config, summaries, CLEAN, datasets=first)
    assert data == ("Data", "Rendered faces A with 60 test images, beside the paper's CelebA-HQ")
    assert facts["Profile"] == "tiny: rendered faces, small & quick"
    assert facts["Image size"].startswith("64×64")
    assert facts["Trained"] == (
        "PConv 200 steps of 8 images; MDRNets 300 steps of 4 images; "
        "Coarse network 150 steps of 8 images"
    )
    assert facts["Seed"] == "2204"
    assert facts["Rendered at commit"] == "0123456789ab"


def test_published_weights_are_no_training(config: Config) -> None:
    coarse = config.protocol.components["coarse"].model_copy(update={"weights": "coarse_weights"})
    networks = config.profile.networks | {"coarse": {"published": True}}
    changed = config.model_copy(
        update={
            "protocol": config.protocol.model_copy(update={"components": {"coarse": coarse}}),
            "profile": config.profile.model_copy(update={"networks": networks}),
        }
    )
    *trained, published = dict(describe_run(changed, {}, CLEAN))["Trained"].split("; ")
    assert trained == ["PConv 200 steps of 8 images", "MDRNets 300 steps of 4 images"]
    assert "published" in published and "steps" not in published


@pytest.mark.parametrize(
    ("git", "text"),
    [
        (CLEAN.model_copy(update={"dirty": True}), "0123456789ab with uncommitted changes"),
        (GitState(commit=None, dirty=None), "not in a git checkout"),
    ],
)
def test_the_state_of_the_code_is_told(config: Config, git: GitState, text: str) -> None:
    (commit,) = (what for name, what in describe_run(config, {}, git) if name.endswith("commit"))
    assert commit == text


def test_every_choice_of_the_configuration_has_its_explanation(config: Config) -> None:
    for owner, key, texts in (
        (config.profile, "frechet", FEATURES),
        (config.protocol, "ssim", SSIM),
    ):
        choices = get_args(type(owner).model_fields[key].annotation)
        assert set(texts) == set(choices)


def test_another_distance_than_fid_is_explained(config: Config, summaries: Summaries) -> None:
    text = " ".join(collect_notes(config, summaries))
    assert "It is not FID" in text
    assert "FD(effnet-lite0): 60 images for 1,280 dimensions are few" in text
    assert "11×11 Gaussian window" in text


def test_infinite_psnrs_are_counted(config: Config, summaries: dict) -> None:
    assert "infinite" not in " ".join(collect_notes(config, summaries))
    means = summaries["set_a", "pconv"].bins["1-20"].means
    means["hole_psnr"] = Estimate(value=30, low=29, high=31, n=57, infinite=3)
    (note,) = (note for note in collect_notes(config, summaries) if "infinite" in note)
    assert note == (
        "PConv on Rendered faces A, 1–20 %: 3 of 60 completed images have an infinite hole PSNR, "
        "left out of its mean."
    )


def test_two_numbers_of_images_are_one_warning(config: Config, summaries: dict) -> None:
    summaries["set_b", "pconv"] = make_summary("set_b", "pconv", images=100)
    (note,) = (note for note in collect_notes(config, summaries) if "are few" in note)
    assert "60 and 100 images" in note


def test_the_kernel_distance_has_one_note_under_its_own_name(config: Config) -> None:
    (note,) = (note for note in collect_extended_notes(config) if "kernel distance" in note)
    assert note.startswith("KD(effnet-lite0): ")


def test_a_variant_with_infinite_psnrs_is_named(config: Config) -> None:
    summary = make_summary("set_a", "mdrnets@small")
    summary.bins["1-20"].means["psnr"] = Estimate(value=30, low=29, high=31, n=59, infinite=1)
    variants = {"small": Variant(title="smaller", options={})}
    protocol = config.protocol.model_copy(update={"variants": variants})
    config = config.model_copy(update={"protocol": protocol})
    assert "smaller on Rendered faces A, 1–20 %: 1 of 60 completed images" in " ".join(
        collect_notes(config, {("set_a", "mdrnets@small"): summary})
    )


def test_methods_without_a_training_are_named(config: Config) -> None:
    assert describe_training(config, "once") == "All methods were trained once."
    methods = config.protocol.methods | {
        "fill": Network(title="Fill", module="m", trained=False),
        "other": External(title="Other", completions="{dataset}"),
    }
    protocol = config.protocol.model_copy(update={"methods": methods})

    def run(*names: str) -> Config:
        profile = config.profile.model_copy(update={"methods": names})
        return config.model_copy(update={"protocol": protocol, "profile": profile})

    some = run("pconv", "fill", "other")
    assert describe_training(some, "once") == "All methods but Fill, Other were trained once."
    assert collect_notes(some, {})[0].startswith("All methods but Fill, Other were trained here")
    assert "No method" in describe_training(run("fill", "other"), "once")


def test_the_legend_states_the_confidence(config: Config) -> None:
    text = describe_values(config, published=True)
    assert "95 % interval over the images of one training" in text


def test_the_legend_has_no_paper_where_the_table_has_none(config: Config) -> None:
    assert "paper" in describe_values(config, published=True)
    assert "paper" not in describe_values(config, published=False)


def test_of_several_trainings_the_spread_and_the_seeds_are_told(config: Config) -> None:
    config = config.model_copy(update={"profile": config.profile.model_copy(update={"seeds": 3})})
    assert "± the standard deviation of 3 trainings" in describe_values(config, published=True)
    assert dict(describe_run(config, {}, CLEAN))["Seed"].startswith("2204 to 2206")
