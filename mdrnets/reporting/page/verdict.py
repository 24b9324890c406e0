"""The verdict at the top of the page, and the claims that it summarises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.files.tables import read_rows
from mdrnets.metrics.names import frechet_name
from mdrnets.reporting.claims.finding import (
    COLUMN,
    LEVEL,
    Finding,
    count_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.formatting import ClaimView, view_claims
from mdrnets.reporting.claims.markdown import NOTES
from mdrnets.reporting.context import describe_data, describe_training
from mdrnets.reporting.scale import headline
from mdrnets.reporting.tables.trends import count_improving


@dataclass(frozen=True)
class ClaimsView:
    """All claims.

    Attributes:
        claims: of the paper.
        columns: the other columns of Table 1, without a claim of their own.
        level: of significance.
        notes: how they were tested.
    """

    claims: Sequence[ClaimView]
    columns: Sequence[ClaimView]
    level: float = LEVEL
    notes: Sequence[str] = NOTES


def read_claims(path: Path, config: Config) -> ClaimsView:
    claims, columns = view_claims(read_rows(path, Finding), config)
    return ClaimsView(claims=claims, columns=columns)


def summarise_verdict(folder: Path, config: Config, images: Mapping[str, int]) -> list[str]:
    """What the run can decide, in a sentence that can be quoted, then what it sees and its limits.

    Args:
        folder: of claims.csv and, if the profile trains networks, trends.csv.
        config: protocol and profile.
        images: data set → number of test images.
    """
    tests = [
        finding for finding in read_rows(folder / "claims.csv", Finding) if finding.kind != COLUMN
    ]
    profile = config.profile
    size = config.protocol.paper_scale.image_size
    sentences = [
        headline(config),
        f"What this run sees, in {len(tests)} tests of {len(group_by_claim(tests))} claims of the "
        f"paper: {count_verdicts(tests)}. Profile {config.name}: "
        f"{describe_data(profile.datasets, images)}.",
        describe_training(
            config,
            f"{_trainings(config)}, on images of {profile.image_size}×{profile.image_size} pixels "
            f"(the paper: {size}×{size})",
        )
        + " A verdict is about this run, not about the authors' models.",
    ]
    trends = folder / "trends.csv"
    falling, losses = count_improving(trends) if trends.is_file() else (0, 0)
    if losses:
        sentences.append(
            f"{falling} of the {losses} main losses were still falling when their phase ended: "
            "with more steps, the order of the methods may change."
        )
    if any(dataset.rendered for dataset in profile.datasets.values()):
        sentences.append(
            "Rendered faces prove that the pipeline runs; they say little about photographs."
        )
    if (name := frechet_name(profile.frechet)) != "FID":
        sentences.append(f"{name} is not FID, so it is not compared with a published value.")
    return sentences


def _trainings(config: Config) -> str:
    first, count = config.protocol.seed, config.profile.seeds
    if count == 1:
        return f"once, with seed {first}"
    return f"{count} times, with seeds {first} to {first + count - 1}"
