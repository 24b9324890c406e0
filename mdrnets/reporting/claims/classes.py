"""The paper's central claim, tested by class: the memory restores what is entirely in the hole.

Where a hole covers a whole semantic class of a test image, the full method is compared with the
variant that has no memory: L1 and PSNR over the pixels of the class. An image may have such a hole
in several bins; these are not independent, so their mean is tested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mdrnets.config.load import Config
from mdrnets.config.protocol import FULL, PerClass
from mdrnets.data.classes import CLASSES
from mdrnets.evaluation.class_scores import ClassScore
from mdrnets.metrics.paired import mean_difference
from mdrnets.metrics.welch import welch_test
from mdrnets.reporting.claims.ablations import not_run, variant_title
from mdrnets.reporting.claims.finding import (
    CLASS,
    Finding,
    apply_holm,
    signed_margin,
    with_test_result,
    with_verdict,
)
from mdrnets.reporting.claims.results import SIGNED_RANK, Resampling
from mdrnets.reporting.tables.metrics import extended_metrics
from mdrnets.runtime.seeds import derived_seed

SCORES = {"hole L1": "l1", "hole PSNR": "psnr"}
"""Metric of the extended table → column of the scores by class."""


def class_findings(
    config: Config, scores: Mapping[str, Sequence[ClassScore]] | None, *, resampling: Resampling
) -> list[Finding]:
    """Each class in both metrics, on the first data set; Holm over all of them.

    Args:
        config: protocol and profile.
        scores: by training, row by row of the same completions; None: the variant is not run.
        resampling: of intervals.
    """
    per_class = config.protocol.per_class
    if per_class is None:
        return []
    baseline = variant_title(config, per_class.baseline)
    claim = Finding(
        CLASS,
        f"where the hole covers a whole class, the full method completes it better than {baseline}",
        method=config.variant(FULL),
        other=config.variant(per_class.baseline),
    )
    if scores is None:
        return [replace(claim, reason=not_run(config, per_class.baseline))]
    dataset = config.profile.first_dataset
    published_as = config.profile.datasets[dataset].published_as
    claim = replace(claim, dataset=dataset, published_as=published_as)
    metrics = {m.name: m for m in extended_metrics(config.profile.frechet) if m.name in SCORES}
    findings = [
        _compare(
            replace(claim, metric=metric.name, label=label),
            config,
            per_class,
            {name: [s for s in rows if s.label == label] for name, rows in scores.items()},
            resampling,
        )
        for label in CLASSES
        for metric in metrics.values()
    ]
    return [
        with_verdict(f, signed_margin(metrics[str(f.metric)], f.here)) for f in apply_holm(findings)
    ]


def _compare(
    finding: Finding,
    config: Config,
    per_class: PerClass,
    scores: Mapping[str, Sequence[ClassScore]],
    resampling: Resampling,
) -> Finding:
    """One class in one metric."""
    column = SCORES[str(finding.metric)]
    first = scores[str(finding.method)]
    images = [score.image for score in first]
    source = " and ".join(sorted({score.source for score in first}))
    finding = replace(finding, source=source or None)
    ours, others = (
        _average_by_image(
            np.array([[getattr(s, column) for s in scores[n]] for n in config.trainings(method)]),
            images,
        )
        for method in (str(finding.method), str(finding.other))
    )  # each T×n
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is left out
        differences = ours - others
    alone = differences if len(differences) > 1 else differences[:0]
    difference, *by_training = (
        mean_difference(
            values,
            resamples=resampling.resamples,
            confidence=resampling.confidence,
            seed=derived_seed(config.protocol.seed, CLASS, str(finding.label), column),
        )
        for values in (differences.mean(axis=0), *alone)
    )
    n = difference.n if difference else 0
    if n < per_class.min_images:
        return replace(finding, n=n, reason=f"fewer than {per_class.min_images} images")
    finite = np.isfinite(differences).all(axis=0)
    means = (values[:, finite].mean(axis=1).tolist() for values in (ours, others))
    finding = replace(finding, trainings_p=welch_test(*means))
    return with_test_result(finding, difference, by_training, test=SIGNED_RANK)


def _average_by_image(values: np.ndarray, images: Sequence[str]) -> np.ndarray:
    """T×P values of P completions → T×n, the mean of each image in order."""
    names = np.array(images)
    means = [values[:, names == image].mean(axis=1) for image in dict.fromkeys(images)]
    return np.stack(means, axis=1) if means else values
