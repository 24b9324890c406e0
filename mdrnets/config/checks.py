"""Check protocol and profile against each other when they are loaded.

Mistakes that a later stage would refuse, and that can be found from params.yaml and the profile
together, are refused here, before anything runs. The classes of each file check what concerns that
file alone, and `planning/preconditions.py` what needs other files, built networks or enough images.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mdrnets.config.constants import MIN_TEST_IMAGES
from mdrnets.config.network_id import NetworkId
from mdrnets.config.protocol import PARAMS, External
from mdrnets.config.yaml_loader import locate
from mdrnets.errors import UserError

if TYPE_CHECKING:
    from mdrnets.config.load import Config


def check_config(config: "Config") -> None:
    """Check that protocol and profile fit together.

    Raises:
        UserError: they do not; names file, line and key.
    """
    # Each check relies on those before it.
    for check in (_check_names, _check_variants, _check_networks, _check_external):
        for problem in check(config):
            raise UserError(problem)


def _check_names(config: "Config") -> Iterator[str]:
    protocol, profile = config.protocol, config.profile
    for section in ("methods", "variants"):
        choices = getattr(protocol, section)
        for name in getattr(profile, section):
            if name not in choices:
                key = config.locate(section)
                yield f"{key}: {name!r} is not in {PARAMS}; choose from {', '.join(choices)}"
    for name in profile.networks:
        if name not in {**protocol.components, **protocol.methods}:
            key = config.locate(f"networks.{name}")
            yield f"{key}: not in {PARAMS}; correct the name"


def _check_variants(config: "Config") -> Iterator[str]:
    protocol, profile = config.protocol, config.profile
    for name in profile.variants:
        if not any(name in ablation.rows for ablation in protocol.ablations.values()):
            key = locate(PARAMS, "ablations")
            yield f"{key}: no table has a row {name}; add it to `rows`"
    if profile.variants and protocol.ablation_base not in profile.methods:
        key = config.locate("methods")
        yield f"{key}: `variants` require {protocol.ablation_base}; add it"


def _check_networks(config: "Config") -> Iterator[str]:
    datasets = list(config.profile.datasets.values())
    for name, network in config.trained.items():
        base = NetworkId.parse(name).base
        if network.dataset is not None and not 0 <= network.dataset < len(datasets):
            yield (
                f"{locate(PARAMS, f'components.{name}.dataset')}: found {network.dataset}, "
                f"expected an index below {len(datasets)}, the number of data sets in "
                f"{config.path}; correct it"
            )
            return
        used = datasets if network.dataset is None else [datasets[network.dataset]]
        if network.labels and not all(dataset.labels for dataset in used):
            yield (
                f"{config.locate('datasets')}: a data set that trains {name} has no "
                "`labels`; add them"
            )
        if base not in config.profile.networks:
            key = config.locate(f"networks.{base}")
            yield f"{key}: missing; add it, with its `steps`"
        if config.published(name) and network.weights not in config.profile.weights:
            yield (
                f"{config.locate(f'networks.{base}.published')}: requires a source "
                f"`{network.weights}` of kind weights; copy it from profiles/paper.yaml"
            )


def _check_external(config: "Config") -> Iterator[str]:
    for name in config.profile.methods:
        method = config.protocol.methods[name]
        if not isinstance(method, External):
            continue
        key = locate(PARAMS, f"methods.{name}.completions")
        rest = method.completions.replace("{dataset}", "")
        if "{" in rest or "}" in rest:
            yield (
                f"{key}: found {method.completions}, expected no braces but those of {{dataset}}; "
                "correct it"
            )
        elif rest == method.completions and len(config.profile.datasets) > 1:
            yield (
                f"{key}: found {method.completions}, expected a path for each of "
                f"{len(config.profile.datasets)} data sets; add {{dataset}} to it"
            )


def holdout_problems(config: "Config") -> Iterator[str]:
    """Find splits that are too small for the stages after training, for the preconditions."""
    trained = any(name in config.profile.methods for name in config.trained)
    yield from _missing_test_holes(config)
    for name, dataset in config.profile.datasets.items():
        split, key = dataset.split, f"datasets.{name}.split"
        if split.test is not None and split.test < MIN_TEST_IMAGES:
            yield (
                f"{config.locate(f'{key}.test')}: found {split.test}, expected at least "
                f"{MIN_TEST_IMAGES}, for the intervals of the scores; increase it"
            )
        # Each trained method is compared with its untrained network on validation images.
        if trained and not split.validation:
            yield (
                f"{config.locate(f'{key}.validation')}: found 0, but trained methods need "
                "validation images; increase it"
            )
    holes = config.profile.holes
    if trained and not round(holes.validation * holes.per_step):
        key = config.locate("holes.validation")
        yield (
            f"{key}: found {holes.validation} of {holes.per_step} holes in each 10 % step, but "
            "trained methods need validation holes; increase it"
        )


def _missing_test_holes(config: "Config") -> Iterator[str]:
    """Each test image gets a hole of its own in each bin."""
    holes = config.profile.holes
    in_each_step = round(holes.test * holes.per_step)  # at most: files may be missing
    for bin_name, steps in config.protocol.bins.items():
        available = in_each_step * len(steps)
        for name, dataset in config.profile.datasets.items():
            if (dataset.split.test or 0) > available:
                yield (
                    f"{config.locate('holes.test')}: found {holes.test} of "
                    f"{holes.per_step} holes in each 10 % step, which are at most {available} for "
                    f"the bin {bin_name}, expected one for each of the {dataset.split.test} test "
                    f"images of {name}; increase it, or use fewer test images"
                )
