"""Write the tables of docs/real_faces.md from reference runs and from benchmarks/parts.csv.

The sentences between them are written by hand.

    python benchmarks/real_faces_page.py
"""

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.parts import ICT_PARTS, LOSS_TERMS, MDRNETS_PARTS, MEMORY, PARTS, Measurement, Part
from mdrnets.config.load import Config, load_config
from mdrnets.files.markdown import format_table
from mdrnets.files.tables import read_rows, read_table
from mdrnets.layout import REFERENCE
from mdrnets.metrics.names import frechet_name
from mdrnets.reporting.blocks import replace_blocks
from mdrnets.reporting.claims.formatting import format_signed
from mdrnets.reporting.reference.trainings import TRAININGS, TrainingScore
from mdrnets.reporting.tables.cells import Cell
from mdrnets.reporting.tables.trends import COLUMNS as TREND

PAGE = Path("docs/real_faces.md")
LONG, SHORT = "real64", "real64-500"
"""The runs of 5,000 and of 500 steps."""


class RealFaces:
    """The tables of the page, one method each."""

    def __init__(self) -> None:
        self.config: Config = load_config(LONG)
        self.first, self.second = self.config.profile.datasets
        self.largest = self.config.protocol.largest_bin
        self.distance = frechet_name(self.config.profile.frechet)
        self.variants = list(map(self.config.variant, self.config.profile.variants))
        self.long, self.short = _read_scores(LONG), _read_scores(SHORT)

    def order(self) -> str:
        """Scores of all methods after 500 and 5,000 steps, and the change."""
        headers = ["method"]
        columns = [(d, m) for d in (self.first, self.second) for m in ("L1", self.distance)]
        for dataset, metric in columns:
            unit = " %" if metric == "L1" else ""
            headers.append(f"{metric}{unit}, {self.config.profile.datasets[dataset].published_as}")
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
        """Scores of each training of 500 steps."""
        scores = read_rows(REFERENCE / SHORT / TRAININGS, TrainingScore)

        def join(method: str, metric: str, decimals: int) -> str:
            key = self.first, method, metric, self.largest
            values = [s.value for s in scores if (s.dataset, s.method, s.metric, s.bin) == key]
            return ", ".join(f"{value:.{decimals}f}" for value in values)

        rows = [
            (self.config.title(method), join(method, "L1", 2), join(method, self.distance, 0))
            for method in (*self.config.method_titles, *self.variants)
        ]
        headers = ("method", "L1 % in each training", f"{self.distance} in each training")
        return format_table(headers, rows)

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


def _read_scores(run: str) -> dict[tuple[str, str, str, str], float]:
    """(data set, method, metric, bin) → value of a reference run."""
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


def _format_part(value: float) -> str:
    """One decimal, or two of a value below 1."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
