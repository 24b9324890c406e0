"""The columns of Table 1 and of its extended form."""

from collections.abc import Callable

from mdrnets.evaluation.summary import BinSummary, Estimate
from mdrnets.metrics.names import frechet_name, kernel_name
from mdrnets.reporting.tables.cells import Metric


def table1_metrics(features: str) -> tuple[Metric, ...]:
    """The paper's columns.

    Args:
        features: of the Fréchet distance; they decide its name.
    """
    return (
        Metric("L1", "%", "lower", 3, _mean("l1"), "L1"),
        Metric(frechet_name(features), "", "lower", 3, lambda b: b.distances.frechet, "FID"),
        Metric("PSNR", "dB", "higher", 3, _mean("psnr"), "PSNR"),
        Metric("SSIM", "", "higher", 3, _mean("ssim"), "SSIM"),
    )


def extended_metrics(features: str) -> tuple[Metric, ...]:
    """Columns that the paper does not have; they appear in the extended table only."""
    return (
        Metric("hole L1", "%", "lower", 3, _mean("hole_l1")),
        Metric("hole PSNR", "dB", "higher", 3, _mean("hole_psnr")),
        Metric("raw L1", "%", "lower", 3, _mean("raw_l1")),
        Metric("raw PSNR", "dB", "higher", 3, _mean("raw_psnr")),
        Metric("raw SSIM", "", "higher", 3, _mean("raw_ssim")),
        Metric(kernel_name(features), "", "lower", 4, lambda b: b.distances.kernel),
    )


def all_metrics(features: str) -> dict[str, Metric]:
    """The columns of both tables by name."""
    metrics = (*table1_metrics(features), *extended_metrics(features))
    return {metric.name: metric for metric in metrics}


def _mean(metric: str) -> Callable[[BinSummary], Estimate]:
    return lambda summary: summary.means[metric]
