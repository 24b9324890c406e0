"""The order inside the method, on validation images: refinement.csv and .md.

Is the output better than the coarse face that it refines? Is each variant of the modules better
than the next one in the paper's order? For each order: the differences, and how many trainings show
it or its reverse with a paired interval that excludes 0. Chance makes trainings of one network
differ as well; the tests of `claims` take that into account.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mdrnets.config.load import Config
from mdrnets.evaluation.refined_faces import FaceScores, RefinedFaces, load_refined_faces
from mdrnets.files import write_text
from mdrnets.files.markdown import format_facts, format_table
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.names import frechet_name
from mdrnets.metrics.paired import Difference, jackknife_difference, mean_difference
from mdrnets.reporting.claims.ablations import ablation_orders, variant_title
from mdrnets.reporting.claims.formatting import format_signed
from mdrnets.reporting.claims.results import FRECHET
from mdrnets.reporting.context import FEATURES, describe_run
from mdrnets.reporting.tables.cells import BLANK, format_bin
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed
from mdrnets.tracking.provenance import git_state

MIN_IMAGES = 4
"""For the jackknife of the Fréchet distance."""
HOLE_L1, PSNR = "hole L1 %", "PSNR dB"
COLUMNS = (
    *("dataset", "better", "worse", "metric", "shown", "reversed", "training"),
    *("difference", "low", "high", "images"),
)


@dataclass(frozen=True)
class Order:
    """A claimed order and its differences.

    Attributes:
        dataset: name in the profile.
        better: what should be better, in words.
        worse: what should be worse.
        metric: name with its unit.
        higher: whether more is better.
        differences: better minus worse, one for each training; None: no image has a finite score,
            or there are too few images.
    """

    dataset: str
    better: str
    worse: str
    metric: str
    higher: bool
    differences: Sequence[Difference | None]

    @property
    def shown(self) -> int:
        """Number of trainings whose interval excludes 0 on the claimed side."""
        return self._count(1 if self.higher else -1)

    @property
    def reversed(self) -> int:
        """Number of trainings whose interval excludes 0 on the other side."""
        return self._count(-1 if self.higher else 1)

    def _count(self, sign: int) -> int:
        return sum(each is not None and each.sign == sign for each in self.differences)


def render(config: Config, layout: Layout, name: str) -> None:
    """Write refinement.csv and .md."""
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    orders = list(find_orders(config, layout))
    write_table(layout.report(f"{name}.csv"), COLUMNS, list(_rows(orders)))
    write_text(layout.report(f"{name}.md"), format_orders(orders, config))


def find_orders(config: Config, layout: Layout) -> Iterator[Order]:
    """The output against the coarse face on each data set, then the ablations' claims."""
    method = str(config.protocol.ablation_base)

    def load(dataset: str, network: str) -> list[RefinedFaces]:
        trainings = config.trainings(network)
        return [load_refined_faces(layout.refined_faces(dataset, name)) for name in trainings]

    full = {dataset: load(dataset, method) for dataset in config.profile.datasets}
    for dataset, trainings in full.items():
        pairs = [(f.output, f.coarse, f.truth) for f in trainings if f.coarse is not None]
        if pairs:
            names = f"the output of {config.title(method)}", "the coarse face"
            yield from _compare(config, dataset, names, pairs, (HOLE_L1, PSNR, FRECHET))

    dataset = config.profile.first_dataset
    for better, worse in ablation_orders(config):
        if config.runs(better) and config.runs(worse):
            networks = [load(dataset, config.variant(variant)) for variant in (better, worse)]
            pairs = [(a.output, b.output, a.truth) for a, b in zip(*networks, strict=True)]
            titles = variant_title(config, better), variant_title(config, worse)
            yield from _compare(config, dataset, titles, pairs, (FRECHET,))


def _compare(
    config: Config,
    dataset: str,
    names: tuple[str, str],
    pairs: Sequence[tuple[FaceScores, FaceScores, np.ndarray]],
    metrics: Sequence[str],
) -> Iterator[Order]:
    """Compare the scores of the same images, training by training.

    Args:
        config: protocol and profile.
        dataset: name in the profile.
        names: of what should be better, and of what should be worse.
        pairs: the scores of both and the features of the truth, for each training.
        metrics: of `HOLE_L1`, `PSNR` and `FRECHET`.
    """
    for metric in metrics:
        seed = derived_seed(config.protocol.seed, "refinement", dataset, *names, metric)
        yield Order(
            dataset,
            *names,
            frechet_name(config.profile.frechet) if metric == FRECHET else metric,
            higher=metric == PSNR,
            differences=[_difference(config, metric, *pair, seed=seed) for pair in pairs],
        )


def _difference(
    config: Config, metric: str, a: FaceScores, b: FaceScores, truth: np.ndarray, *, seed: int
) -> Difference | None:
    confidence = config.protocol.bootstrap.confidence
    if metric != FRECHET:
        x, y = (s.hole_l1 if metric == HOLE_L1 else s.psnr for s in (a, b))
        with np.errstate(invalid="ignore"):  # equal images: ∞ − ∞, left out
            differences = x - y
        resamples = config.protocol.bootstrap.resamples
        return mean_difference(differences, resamples=resamples, confidence=confidence, seed=seed)
    if len(truth) < MIN_IMAGES:
        return None

    def distance(scores: FaceScores, rows: np.ndarray) -> float:
        return frechet_distance(scores.features[rows], truth[rows])

    return jackknife_difference(
        lambda rows: distance(a, rows) - distance(b, rows),
        len(truth),
        halves=config.protocol.frechet.resamples,
        confidence=confidence,
        seed=seed,
    )


def format_orders(orders: Sequence[Order], config: Config) -> str:
    """The page in Markdown: one row for each order."""
    hole = format_bin(config.protocol.largest_bin)
    confidence = f"{100 * config.protocol.bootstrap.confidence:.0f} %"
    rows = [
        [
            config.profile.datasets[order.dataset].title,
            f"{order.better} is better than {order.worse}",
            f"{order.metric} {'↑' if order.higher else '↓'}",
            f"{order.shown} of {len(order.differences)}",
            f"{order.reversed} of {len(order.differences)}",
            next((d.n for d in order.differences if d), BLANK),
            "; ".join(_format_difference(difference) for difference in order.differences),
        ]
        for order in orders
    ]
    headers = ["data", "order", "metric", "shown by", "reversed in", "images"]
    facts = describe_run(config, {}, git_state(config.name))
    return "\n".join(
        [
            "# What the refinement adds",
            "",
            f"On validation images with holes of {hole}. Differences: the first minus the second, "
            f"with a paired {confidence} interval over the images. *Shown by*: the trainings whose "
            "interval excludes 0 on the claimed side; *reversed in*: on the other side. Variants "
            "can differ like this by chance; claims.md has tests over the trainings.",
            "",
            format_table([*headers, "difference in each training"], rows),
            "",
            "## The run behind the numbers",
            "",
            *format_facts(facts),
            "",
            "## Notes",
            "",
            f"- {FEATURES[config.profile.frechet]}",
            "- The Fréchet distance of few images is biased upwards. Both sides of a row have the "
            "same images.",
            "",
        ]
    )


def _format_difference(difference: Difference | None) -> str:
    if difference is None:
        return "none"
    low, high = format_signed(difference.low), format_signed(difference.high)
    return f"{format_signed(difference.value)} [{low}, {high}]"


def _rows(orders: Sequence[Order]) -> Iterator[tuple[object, ...]]:
    """One row for each order and training."""
    for o in orders:
        for number, difference in enumerate(o.differences, start=1):
            key = (o.dataset, o.better, o.worse, o.metric, o.shown, o.reversed, number)
            if difference is None:
                yield (*key, "", "", "", "")
            else:
                numbers = difference.value, difference.low, difference.high
                yield (*key, *(f"{each:.6g}" for each in numbers), difference.n)
