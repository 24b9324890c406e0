"""Write the tables of docs/real_faces.md from reference runs, and from parts.csv and
further_trainings.csv beside this file.

The sentences between them are written by hand.

    python benchmarks/real_faces_page.py
"""

import sys
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.further_trainings import FURTHER_TRAININGS, FurtherTraining
from benchmarks.parts import ICT_PARTS, LOSS_TERMS, MDRNETS_PARTS, MEMORY, PARTS, Measurement, Part
from mdrnets.config.load import Config, load_config
from mdrnets.files.markdown import format_table
from mdrnets.files.tables import read_rows, read_table
from mdrnets.layout import REFERENCE
from mdrnets.metrics.names import frechet_name
from mdrnets.metrics.paired import holm
from mdrnets.metrics.welch import welch_test
from mdrnets.reporting.blocks import replace_blocks
from mdrnets.reporting.claims.formatting import format_signed
from mdrnets.reporting.reference.trainings import TRAININGS, TrainingScore
from mdrnets.reporting.tables.cells import Cell, format_bin
from mdrnets.reporting.tables.trends import COLUMNS as TREND

PAGE = Path("docs/real_faces.md")
LONG, SHORT = "real64", "real64-500"
"""The runs of 5,000 and of 500 steps."""
REPEATED = "real64-celebahq"
"""The profile of further trainings of 5,000 steps."""

Key = tuple[str, str, str, str]
"""Data set, method, metric, bin."""


class RealFaces:
    """The tables of the page, one method each."""

    def __init__(self) -> None:
        self.config: Config = load_config(LONG)
        self.first, self.second = self.config.profile.datasets
        self.largest = self.config.protocol.largest_bin
        self.distance = frechet_name(self.config.profile.frechet)
        self.variants = list(map(self.config.variant, self.config.profile.variants))
        self.long, self.short = _read_scores(LONG), _read_scores(SHORT)
        further = (
            s for s in read_rows(FURTHER_TRAININGS, FurtherTraining) if s.profile == REPEATED
        )
        first = {key: [value] for key, value in self.long.items()}
        self.long_trainings = _add_trainings(first, further)
        short = read_rows(REFERENCE / SHORT / TRAININGS, TrainingScore)
        self.short_trainings = _add_trainings({}, short)

    def order(self) -> str:
        """Scores of all methods after 500 and 5,000 steps, and the change."""
        headers = ["method"]
        columns = [(d, m) for d in (self.first, self.second) for m in ("L1", self.distance)]
        for dataset, metric in columns:
            headers.append(f"{_unit(metric)}, {self.config.profile.datasets[dataset].published_as}")
        rows = []
        for method, title in self.config.method_titles.items():
            row = [title]
            for dataset, metric in columns:
                key = dataset, method, metric, self.largest
                before, after = self.short[key], self.long[key]
                decimals = 2 if metric == "L1" else 0
                change = format_signed(100 * (after / before - 1), 0)
                row.append(f"{before:.{decimals}f} → {after:.{decimals}f} ({change} %)")
            rows.append(row)
        return format_table(headers, rows, labels=1)

    def trainings(self) -> str:
        """Scores of each training of 500 and of 5,000 steps."""
        headers, rows = ["method"], []
        metrics = {"L1": 2, self.distance: 0}
        for metric in metrics:
            headers += [f"{_unit(metric)}, 500 steps", "5,000 steps"]
        for method in (*self.config.method_titles, *self.variants):
            row = [self.config.title(method)]
            for metric, decimals in metrics.items():
                key = self.first, method, metric, self.largest
                for trainings in (self.short_trainings, self.long_trainings):
                    row.append(", ".join(f"{value:.{decimals}f}" for value in trainings[key]))
            rows.append(row)
        return format_table(headers, rows, labels=1)

    def leads(self) -> str:
        """MDRNets minus every network that was also trained several times, by their means."""
        base = str(self.config.protocol.ablation_base)
        others = [name for name in (*self.config.method_titles, *self.variants) if name != base]
        decimals = {"L1": 2, self.distance: 1}
        tests: dict[tuple[str, str, str], tuple[float, float]] = {}
        for test in product(decimals, others, self.config.protocol.bins):
            metric, other, bin_ = test
            ours, theirs = (
                self.long_trainings[self.first, name, metric, bin_] for name in (base, other)
            )
            p_value = welch_test(ours, theirs)
            if p_value is not None:
                tests[test] = mean(ours) - mean(theirs), p_value
        adjusted = holm([p_value for _, p_value in tests.values()])
        rows: dict[tuple[str, str], list[str]] = {}
        for ((metric, other, _), (difference, _)), p in zip(tests.items(), adjusted, strict=True):
            cell = f"{format_signed(difference, decimals[metric])} (p {p:.3f})"
            rows.setdefault((metric, other), []).append(cell)
        return format_table(
            ("MDRNets minus", "", *map(format_bin, self.config.protocol.bins)),
            [
                (self.config.title(other), _unit(metric), *cells)
                for (metric, other), cells in rows.items()
            ],
            labels=2,
        )

    def ablations(self) -> str:
        """MDRNets and its variants."""
        metrics = {"L1": 2, "PSNR": 2, "SSIM": 3, self.distance: 1}
        rows = []
        for method in (str(self.config.protocol.ablation_base), *self.variants):
            keys = {metric: (self.first, method, metric, self.largest) for metric in metrics}
            values = [f"{self.long[keys[metric]]:.{digits}f}" for metric, digits in metrics.items()]
            short = f"{self.short[keys[self.distance]]:.1f}"
            rows.append((self.config.title(method), *values, short))
        headers = ("variant", "L1 % ↓", "PSNR dB ↑", "SSIM ↑", f"{self.distance} ↓")
        return format_table((*headers, "FD after 500 steps"), rows, labels=1)

    def refinement(self) -> str:
        """The output of MDRNets minus its coarse face."""
        differences: dict[str, list[str]] = {}
        for row in read_table(REFERENCE / LONG / "refinement.csv"):
            if row["worse"] == "the coarse face":
                digits = 1 if row["metric"] == self.distance else 2
                difference = format_signed(float(row["difference"]), digits)
                differences.setdefault(row["dataset"], []).append(difference)
        rows = [
            (self.config.profile.datasets[dataset].published_as, *values)
            for dataset, values in differences.items()
        ]
        headers = ("output minus coarse face", "L1 % in the hole", "PSNR dB", self.distance)
        return format_table(headers, rows, labels=1)

    def trends(self) -> str:
        """How much the main losses changed in the second half of each phase."""
        network, dataset, phase, loss, _, *numbers = TREND
        rows = []
        for row in read_table(REFERENCE / LONG / "trends.csv", TREND):
            if row[dataset] == self.first:
                names = [row[name].replace("_", " ") for name in (phase, loss)]
                values = [row[name].replace("-", "−") for name in numbers]
                rows.append((row[network], *names, *values))
        return format_table((network, phase, loss, *numbers), rows, labels=3)

    def replaced_parts(self) -> str:
        return self._parts(MDRNETS_PARTS)

    def loss_terms(self) -> str:
        return self._parts(LOSS_TERMS)

    def memory(self) -> str:
        return self._parts(MEMORY)

    def ict_parts(self) -> str:
        return self._parts(ICT_PARTS)

    def _parts(self, measurement: Measurement) -> str:
        """Values after 5,000 and after 500 steps."""
        parts = [part for part in read_rows(PARTS, Part) if part.table == measurement.table]
        values = {(part.profile, part.part): part.value for part in parts}
        rows = [
            (part.part, _format_part(part.value), _format_part(values[SHORT, part.part]))
            for part in parts
            if part.profile == LONG
        ]
        return format_table((*measurement, "after 500 steps"), rows, labels=1)


def page(text: str) -> str:
    """The page with today's tables."""
    tables = RealFaces()

    def write(name: str) -> str:
        table: Callable[[], str] = getattr(tables, name)
        return f"\n{table()}\n\n"

    return replace_blocks(text, "table", write, where=PAGE)


def _read_scores(run: str) -> dict[Key, float]:
    """The values of a reference run."""
    cells = (
        cell
        for name in ("table1.csv", "table2.csv")
        for cell in read_rows(REFERENCE / run / name, Cell)
    )
    return {
        (cell.dataset, cell.method, cell.metric, cell.bin): cell.value
        for cell in cells
        if cell.value is not None
    }


def _add_trainings(
    first: dict[Key, list[float]], further: Iterable[TrainingScore]
) -> dict[Key, list[float]]:
    """The values of all trainings, in the order of their numbers."""
    for score in sorted(further, key=lambda score: score.training):
        if score.value is not None:
            key = score.dataset, score.method, score.metric, score.bin
            first.setdefault(key, []).append(score.value)
    return first


def _unit(metric: str) -> str:
    return "L1 %" if metric == "L1" else metric


def _format_part(value: float) -> str:
    """One decimal, or two of a value below 1."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
