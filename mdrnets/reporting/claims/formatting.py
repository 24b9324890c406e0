"""How a finding is printed: in claims.md and on the page alike."""

from mdrnets.config.load import Config
from mdrnets.reporting.claims.finding import Finding
from mdrnets.reporting.claims.table1 import DECIMALS
from mdrnets.reporting.tables.cells import BLANK
from mdrnets.reporting.tables.metrics import all_metrics


def format_claim(claim: str) -> str:
    """The claim as a heading or the first words of a row."""
    return claim[0].upper() + claim[1:]


def format_signed(value: float | None) -> str:
    """For example `−0.501`."""
    return BLANK if value is None else f"{value:+.{DECIMALS}f}".replace("-", "−")


def format_p(value: float | None) -> str:
    """For example `0.012`, or `< 0.001`."""
    if value is None:
        return BLANK
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def format_metric(finding: Finding, config: Config) -> str:
    """The metric with its unit and direction, for example `PSNR dB ↑`."""
    if finding.metric is None:
        return BLANK
    return all_metrics(config.profile.frechet)[finding.metric].title


def format_dataset(finding: Finding, config: Config) -> str:
    """The title of the data set, with the published data set that it is compared with."""
    if finding.dataset is None:
        return BLANK
    title, published_as = config.profile.datasets[finding.dataset].title, finding.published_as
    return title if title.startswith(str(published_as)) else f"{title} ({published_as})"


def format_method(method: str | None, config: Config) -> str:
    """The title of a method."""
    return BLANK if method is None else config.title(method)


def format_here(finding: Finding) -> str:
    """Our value: a count, or a difference with its interval and its range over the trainings."""
    if finding.here is None:
        return BLANK
    if finding.low is None:
        return f"{finding.here:g}"
    low, high = format_signed(finding.low), format_signed(finding.high)
    text = f"{format_signed(finding.here)} [{low}, {high}]"
    if finding.least is None:
        return text
    least, most = format_signed(finding.least), format_signed(finding.most)
    return f"{text}; in each training {least} to {most}"


def format_published(finding: Finding, config: Config) -> str:
    """The published value, the method that it is compared with, and the verdict on its sign."""
    if finding.published is None:
        return BLANK
    if finding.metric is None:
        text = f"{finding.published:g}"
    else:
        text = with_published_metric(format_signed(finding.published), finding)
    if finding.published_other:
        text += f" from {format_method(finding.published_other, config)}"
    return f"{text}: {finding.published_verdict}"


def with_published_metric(text: str, finding: Finding) -> str:
    """Put the name of the published metric before a value if it differs from ours."""
    same = finding.published_metric == finding.metric
    return text if same else f"{finding.published_metric} {text}"
