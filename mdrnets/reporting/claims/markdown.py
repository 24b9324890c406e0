"""The tests of the claims as a page: first the verdicts, then the numbers."""

from collections.abc import Sequence

from mdrnets.config.load import Config
from mdrnets.files.markdown import format_facts, format_table
from mdrnets.reporting.claims.finding import (
    CLASS,
    COLUMN,
    GROWS,
    LEVEL,
    ORDER,
    SUPPORTED,
    VERDICTS,
    Finding,
    count_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.formatting import ClaimView, FindingView, view_claims
from mdrnets.reporting.context import FEATURES, UNPUBLISHED, describe_origin
from mdrnets.reporting.scale import headline
from mdrnets.reporting.tables.cells import BLANK, HERE, PAPER

COLUMNS = {
    **{name: name for name in ("data", "metric", "hole", "difference")},
    **{HERE: "here", "test": "test", PAPER: "paper"},
}
"""Header of a table of tests → field of `FindingView`."""
NOTES = (
    "The best other method is the one with the best mean in that column. It may differ from the "
    "paper's. It is selected on the same images; where MDRNets is behind it in a column, p is "
    "therefore multiplied by the number of other methods.",
    "All scores are paired: both methods complete the same image with the same hole. L1, PSNR and "
    "SSIM: bootstrap interval of the mean difference and Wilcoxon signed-rank test, without images "
    "with an infinite PSNR. Fréchet distance: an approximate delete-half jackknife interval and a "
    "permutation test that swaps the labels of the methods image by image, under the hypothesis "
    "that the two completions of an image are exchangeable; its smallest p is one over the number "
    "of permutations plus one. For the growth of a lead, the normal approximation of the "
    "jackknife. The kernel distance in the extended table is unbiased, also for few images.",
    "Variants of one network: the test over the trainings is Welch's t-test, which needs large "
    "differences or many trainings.",
    "p is two-sided and adjusted by Holm's method in four families: the columns of Table 1, the "
    "growth of leads, the comparisons of ablations, and the classes.",
    "A lead is an absolute difference. Errors grow with the hole, and leads grow with them.",
)
SOURCES = {
    "annotated": "the annotations of the images",
    "parsed": "the face parser's maps of the ground truth, where images have no annotation",
}
"""Where the class of a pixel comes from."""


def format_claims(
    findings: Sequence[Finding], config: Config, *, facts: Sequence[tuple[str, str]]
) -> str:
    """The page in Markdown.

    Args:
        findings: of the claims and of the other columns of Table 1.
        config: protocol and profile.
        facts: (what, text), the run behind the numbers.
    """
    tests = [finding for finding in findings if finding.kind != COLUMN]
    claims, columns = view_claims(findings, config)
    data = "; ".join(dataset.title for dataset in config.profile.datasets.values())
    confidence = 100 * config.protocol.bootstrap.confidence
    verdicts = [[f"**{c.verdict}**", c.claim, *map(str, c.counts.values())] for c in claims]
    return "\n".join(
        [
            "# The paper's claims, tested",
            "",
            f"**{headline(config)}**",
            "",
            f"What it sees, in {len(tests)} tests of {len(claims)} claims: "
            f"{count_verdicts(tests)}. Profile {config.name}: {data}.",
            "",
            format_table(["verdict", "claim", *VERDICTS], verdicts),
            "",
            f"*Supported: the difference has the claimed sign, adjusted p < {LEVEL}, and in each "
            "training an interval that excludes 0. Contradicted: the same with the opposite sign. "
            "Undecided: everything else. A growing lead also needs a significant lead at the "
            "largest holes; being significantly behind there contradicts it. "
            f"Brackets: {confidence:.0f} % interval. {_trainings(config)} Published "
            "numbers are judged by their sign only.*",
            "",
            *(
                line
                for claim, group in zip(claims, group_by_claim(tests).values(), strict=True)
                for line in (f"## {claim.claim}", "", *_introduction(group), _table(claim), "")
            ),
            "## The other columns of Table 1",
            "",
            "The paper makes no claim about a single one of them, only about their number.",
            "",
            *(line for column in columns for line in (_table(column), "")),
            "## The run behind the numbers",
            "",
            *format_facts(facts),
            "",
            "## Notes",
            "",
            f"- {describe_origin(config)} If data, image size or steps differ from the paper's, a "
            "verdict is about this run only.",
            f"- {FEATURES[config.profile.frechet]}",
            *(f"- {note}" for note in NOTES),
            "",
        ]
    )


def _trainings(config: Config) -> str:
    """What the intervals cover."""
    if config.profile.seeds == 1:
        return (
            "Intervals and tests cover the images of one training. They do not tell how much "
            "another training would differ. Two trainings of one network can differ more than its "
            "variants do, so that nothing is decided between these."
        )
    return (
        f"Scores are averaged over {config.profile.seeds} trainings of each method; intervals and "
        "tests cover the images. Also printed: the smallest and the largest difference of a single "
        "training, and how many trainings have an interval that excludes 0 on the same side. If "
        "only the trainings differed, all of them would be on one side by chance in "
        f"{100 / 2 ** (config.profile.seeds - 1):.2g} % of tests. Variants of one network are "
        "therefore also compared by a t-test over the trainings; p is the larger of the two."
    )


def _introduction(tests: Sequence[Finding]) -> list[str]:
    """What a reader must know of the tests of one claim."""
    first = tests[0]
    if first.metric is None:
        return []
    if first.kind == ORDER:
        return [UNPUBLISHED, ""]
    if first.kind == GROWS:
        return ["A lead is the difference from the best other method in that column.", ""]
    if first.kind == CLASS:
        names = " ".join(f.source or "" for f in tests)
        sources = " and ".join(text for source, text in SOURCES.items() if source in names)
        return [
            "Over the pixels of the class, where a hole covers it entirely; an image with several "
            "such holes counts once, with their mean. The classes are from "
            f"{sources or 'no image'}. {UNPUBLISHED}",
            "",
        ]
    return []


def _table(claim: ClaimView) -> str:
    """One row for each test, without columns that are empty; a sentence for a test of no metric."""
    first, *_ = claim.findings
    if first.metric == BLANK:
        return f"**{first.verdict}**: {first.reason}."
    columns = {"verdict": [_format_verdict(view) for view in claim.findings]} | {
        header: texts
        for header, field in COLUMNS.items()
        if set(texts := [getattr(view, field) for view in claim.findings]) != {BLANK}
    }
    return format_table(list(columns), list(zip(*columns.values(), strict=True)))


def _format_verdict(view: FindingView) -> str:
    if view.verdict == SUPPORTED or not view.reason:
        return f"**{view.verdict}**"
    return f"{view.verdict}: {view.reason}"
