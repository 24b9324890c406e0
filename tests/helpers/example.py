"""A configuration of two data sets and three methods, and made-up scores of two of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mdrnets.config.load import Config
from mdrnets.config.profile import Profile
from mdrnets.config.protocol import Ablation, Protocol, Variant
from mdrnets.evaluation.scores import METRICS
from mdrnets.evaluation.summary import BinSummary, Distances, Estimate, Summary
from mdrnets.methods.model_files import ModelConfig, save_model_config
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Metric, Table
from mdrnets.reporting.tables.published import load_published

BINS = ("1-20", "20-40", "40-60")
PAPER_SCALE = {
    "image_size": 256,
    "frechet": "inception-v3",
    "epochs": 45,
    "training_images": 28000,
    "batch_size": 8,
    "min_share": 0.5,
}


def make_config() -> Config:
    """MDRNets and PConv are run; ICT is not."""
    faces = {"faces": "faces", "split": {"rule": "last", "test": 60, "validation": 20}}
    return Config(
        name="tiny",
        files=(Path("profiles/tiny.yaml"),),
        protocol=Protocol.model_validate(
            {
                "profile": "tiny",
                "seed": 2204,
                "bins": {"1-20": [1, 2], "20-40": [3, 4], "40-60": [5, 6]},
                "ssim": "gaussian11_rgb",
                "bootstrap": {"resamples": 100, "confidence": 0.95},
                "frechet": {"resamples": 10, "permutations": 999},
                "paper_scale": PAPER_SCALE,
                "components": {"coarse": {"title": "Coarse network", "module": "m", "dataset": 0}},
                "methods": {
                    "pconv": {"title": "PConv", "module": "m"},
                    "ict": {"title": "ICT", "module": "m"},
                    "mdrnets": {"title": "MDRNets", "module": "m", "uses": ["coarse"]},
                },
            }
        ),
        profile=Profile.model_validate(
            {
                "description": "rendered faces, small & quick",
                "image_size": 64,
                "device": "cpu",
                "devices": 1,
                "precision": "32-true",
                "channels_last": False,
                "threads": 1,
                "perceptual": "effnet-lite0",
                "frechet": "effnet-lite0",
                "sources": {"faces": {"files": 100, "licence": "MIT"}},
                "datasets": {
                    "set_a": {"title": "Rendered faces A", "published_as": "CelebA-HQ", **faces},
                    "set_b": {"title": "Rendered faces B", "published_as": "FFHQ", **faces},
                },
                "holes": {
                    "source": "faces",
                    "per_step": 10,
                    "train": 0.8,
                    "validation": 0.1,
                    "test": 0.1,
                },
                "methods": ["pconv", "mdrnets"],
                "training": {"log_every": 1, "checkpoint_every": 1},
                "completion_batch": 1,
                "networks": {
                    "coarse": {"steps": 150, "batch_size": 8},
                    "pconv": {"steps": 200, "batch_size": 8},
                    "mdrnets": {"steps": 300, "batch_size": 4},
                },
            }
        ),
    )


def make_ablation_config(
    claims: tuple[tuple[str, ...], ...], *, run: Sequence[str], seeds: int = 1, **protocol: Any
) -> Config:
    """With the variants `small` and `none` of MDRNets, of which `run` are run."""
    config = make_config()
    protocol |= {
        "ablation_base": "mdrnets",
        "variants": {n: Variant(title=f"w/o {n}", options={}) for n in ("small", "none")},
        "ablations": {
            "table2": Ablation(title="Table 2", rows=("none", "small", "full"), claims=claims)
        },
    }
    profile = {"variants": tuple(run), "seeds": seeds}
    return config.model_copy(
        update={
            "protocol": config.protocol.model_copy(update=protocol),
            "profile": config.profile.model_copy(update=profile),
        }
    )


def make_summary(
    dataset: str,
    method: str,
    *,
    values: dict[str, float] | None = None,
    frechet_name: str = "FD(effnet-lite0)",
    images: int = 60,
    bins: Sequence[str] = BINS,
) -> Summary:
    """`values` by metric are those of the first bin; each further bin adds 1. Others are 5."""

    def estimate(metric: str, number: int) -> Estimate:
        value = (values or {}).get(metric, 5.0) + number
        return Estimate(value=value, low=value - 0.1, high=value + 0.3, n=images)

    summaries = {
        name: BinSummary(
            means={metric: estimate(metric, number) for metric in METRICS},
            distances=Distances(
                frechet_name=frechet_name,
                frechet=estimate("frechet", number),
                kernel_name=frechet_name.replace("FD", "KD").replace("FID", "KID"),
                kernel=estimate("kernel", number),
                dimensions=1280,
                warning=f"{images} images for 1280 dimensions",
            ),
        )
        for number, name in enumerate(bins)
    }
    return Summary(
        dataset=dataset,
        method=method,
        images=images,
        ssim="gaussian11_rgb",
        confidence=0.95,
        bins=summaries,
    )


def build_example_table(metrics: tuple[Metric, ...]) -> Table:
    """Two methods scored on one data set, beside the published numbers."""
    config = make_config()
    return build_table(
        metrics,
        bins=BINS,
        datasets=config.profile.datasets,
        methods={name: entry.title for name, entry in config.protocol.methods.items()},
        run=config.profile.methods,
        summaries={
            ("set_a", "pconv"): make_summary("set_a", "pconv", values={"l1": 1.0}),
            ("set_a", "mdrnets"): make_summary("set_a", "mdrnets", values={"l1": 2.0}),
        },
        published=load_published(),
    )


def write_model_config(path: Path, *, parameters: int, steps: int) -> None:
    """The configuration of a made-up training."""
    config = ModelConfig(
        network="toy",
        module="toy",
        dataset="one",
        image_size=32,
        perceptual="effnet-lite0",
        seed=1,
        options={"steps": steps},
        parameters=parameters,
    )
    save_model_config(path, config)
