"""The paths of all files of a run. Arguments may be wildcards such as `{dataset}`."""

from pathlib import Path

BUNDLE = Path("inputs/manifest.json")
"""Exists only in an unpacked bundle (see `mdrnets bundle`), and lists its inputs."""
PUBLISHED_TABLE1 = Path("reports/published/table1.csv")
"""Table 1 of the paper."""
REFERENCE = Path("reports/reference")
"""A folder for each reference run, and a table for each device that was timed."""


class Layout:
    """The files of one profile, relative to the project's folder."""

    def __init__(self, profile: str) -> None:
        self.run = Path("runs") / profile
        self.reports = Path("reports") / profile
        self.states = self.run / "state"  # unfinished trainings: never a declared output
        self.records = self.run / "records"  # who made what, when: never a declared output
        self.records_archive = Path("records") / f"{profile}.zip"  # for DVC
        self.plan = self.run / "plan.json"  # what jobs ask a cluster for: never a declared output

    @property
    def code(self) -> Path:
        """The digest of every job, by which DVC knows what an edit makes stale."""
        return self.run / "code.json"

    @property
    def check(self) -> Path:
        """Written when the configuration has been checked."""
        return self.run / "check.json"

    @staticmethod
    def data(source: str) -> Path:
        """The raw input that `data.dvc` pins."""
        return Path("data") / f"{source}.zip"

    def raw(self, source: str) -> Path:
        """The verified archive; a `.json` next to it lists files, hashes and licence."""
        return self.run / "raw" / f"{source}.zip"

    def raw_manifest(self, source: str) -> Path:
        return self.raw(source).with_suffix(".json")

    def weights(self, network: str) -> Path:
        """The verified weights of a published network; a `.json` next to it, as with archives."""
        return self.run / "weights" / f"{network}.pth"

    def weights_manifest(self, network: str) -> Path:
        return self.weights(network).with_suffix(".json")

    def split(self, dataset: str) -> Path:
        """id, role, labelled, sha256; one row per image, in the order of `images`."""
        return self.run / "splits" / f"{dataset}.csv"

    def hole_split(self) -> Path:
        """id, step, role, sha256; one row per mask, in the order of `holes`."""
        return self.run / "splits" / "holes.csv"

    def images(self, dataset: str) -> Path:
        """uint8 N×H×W×3."""
        return self.run / "packed" / f"{dataset}.npy"

    def labels(self, dataset: str) -> Path:
        """uint8 L×H×W, ids 0…13: the labelled rows of the split, in its order."""
        return self.run / "packed" / f"{dataset}_labels.npy"

    def holes(self) -> Path:
        """Boolean N×H×W, True = hole."""
        return self.run / "packed" / "holes.npy"

    def assignment(self, dataset: str) -> Path:
        """The hole of each test image: image, image_row, bin, hole, hole_row, ratio."""
        return self.run / "masks" / f"{dataset}.csv"

    def model(self, dataset: str, network: str) -> Path:
        """Trained weights."""
        return self.run / "models" / dataset / f"{network}.safetensors"

    def history(self, dataset: str, network: str) -> Path:
        """Losses and diagnostics by step."""
        return self.model(dataset, network).with_suffix(".csv")

    def model_config(self, dataset: str, network: str) -> Path:
        """The resolved configuration that the weights belong to."""
        return self.model(dataset, network).with_suffix(".json")

    def completions(self, dataset: str, method: str) -> Path:
        """uint8 bins×images×H×W×3: composites, in the order of bins and of the assignment."""
        return self.run / "completions" / dataset / f"{method}.npy"

    def raw_outputs(self, dataset: str, method: str) -> Path:
        """As `completions`, before compositing."""
        return self.run / "completions" / dataset / f"{method}_raw.npy"

    def validation(self, dataset: str, method: str) -> Path:
        """How far training improved on the untrained network, and the cost of a completion."""
        return self.run / "validation" / dataset / f"{method}.json"

    def refined_faces(self, dataset: str, method: str) -> Path:
        """Scores of validation images, completed by a refinement and by its coarse network."""
        return self.run / "validation" / dataset / f"{method}_faces.safetensors"

    def memory_use(self, dataset: str, method: str) -> Path:
        """How often each slot of a memory is read, and the parts of faces nearest to some."""
        return self.run / "inspection" / dataset / f"{method}_memory.safetensors"

    def parsing(self, dataset: str, method: str) -> Path:
        """How a method's parser classifies held-out labelled images: pixels by class."""
        return self.run / "inspection" / dataset / f"{method}_parsing.csv"

    def features(self, dataset: str, method: str) -> Path:
        """Of the completions: float32 bins×images×D."""
        return self.run / "features" / dataset / f"{method}.npy"

    def true_features(self, dataset: str) -> Path:
        """Of the originals: float32 images×D."""
        return self.features(dataset, "ground_truth")

    def scores(self, dataset: str, method: str) -> Path:
        """Per-image scores."""
        return self.run / "scores" / dataset / f"{method}.csv"

    def summary(self, dataset: str, method: str) -> Path:
        """Means, intervals and Fréchet distances by bin."""
        return self.scores(dataset, method).with_suffix(".json")

    def per_class(self, dataset: str) -> Path:
        """Scores by semantic class, of the images whose hole covers the whole class."""
        return self.run / "per_class" / f"{dataset}.csv"

    @property
    def metrics(self) -> Path:
        """Table 1 by data set, method, metric and bin, as DVC compares it."""
        return self.reports / "metrics.json"

    def report(self, name: str) -> Path:
        """A file of the report, such as `table1.md`."""
        return self.reports / name
