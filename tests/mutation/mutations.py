"""Lines that protect results or users, each broken in turn: a test must fail for each."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = (
    "LICENSE",
    "README.md",
    "Snakefile",
    "mdrnets",
    "params.yaml",
    "profiles",
    "pyproject.toml",
    "reports/published",
    "requirements.lock",
    "samples",
    "stages",
    "tests",
    "workflow",
)
"""What the tests need of the project."""


@dataclass(frozen=True)
class Mutation:
    """A line that is broken, and the test that must notice it.

    Attributes:
        name: what no longer holds.
        file: of the project.
        old: a text that the file has once.
        new: takes its place.
        test: the test's node, without parameters.
    """

    name: str
    file: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        "a training of other code is not resumed",
        "mdrnets/training/train_network.py",
        "code=job.code)",
        "code=())",
        "tests/stages/test_train.py::test_the_state_of_other_code_or_data_is_left_alone_and_named",
    ),
    Mutation(
        "a training of other data is not resumed",
        "mdrnets/training/train_network.py",
        "inputs=job.inputs,",
        "inputs=(),",
        "tests/stages/test_train.py::test_the_state_of_other_code_or_data_is_left_alone_and_named",
    ),
    Mutation(
        "a state's checksum is written before the state gets its name",
        "mdrnets/training/state.py",
        '            write_text(_checksum(path), f"{sha256(temporary)}',
        '        write_text(_checksum(path), f"{sha256(path)}',
        "tests/training/test_state.py"
        "::test_a_process_that_dies_after_the_states_rename_leaves_its_checksum",
    ),
    Mutation(
        "a state runs no code",
        "mdrnets/training/state.py",
        'torch.load, map_location="cpu", weights_only=True)',
        'torch.load, map_location="cpu", weights_only=False)',
        "tests/training/test_state.py::test_a_state_runs_no_code",
    ),
    Mutation(
        "published weights run no code",
        "mdrnets/networks/features.py",
        "partial(torch.load, weights_only=True",
        "partial(torch.load, weights_only=False",
        "tests/networks/test_features.py::test_published_weights_run_no_code",
    ),
    Mutation(
        "a packed array runs no code",
        "mdrnets/files/arrays.py",
        'mmap_mode="r", allow_pickle=False',
        "allow_pickle=True",
        "tests/data/test_dataset.py::test_an_array_runs_no_code",
    ),
    Mutation(
        "records are changed under a lock",
        "mdrnets/tracking/record_store.py",
        'with FileLock(self.folder / ".lock"):',
        "if True:",
        "tests/tracking/test_record_store.py::test_records_are_changed_under_a_lock",
    ),
    Mutation(
        "the database is made under a lock",
        "mdrnets/tracking/mlflow_store.py",
        'with FileLock(f"{database}.lock") if database else nullcontext():',
        "with nullcontext():",
        "tests/tracking/test_mlflow_store.py::test_the_database_is_made_under_a_lock",
    ),
    Mutation(
        "a record's name is no path",
        "mdrnets/tracking/record.py",
        "    name: FileNamePart\n",
        "    name: str\n",
        "tests/tracking/test_records_archive.py::test_a_record_with_a_path_for_a_name_is_passed_over",
    ),
    Mutation(
        "a record's execution is no path",
        "mdrnets/tracking/record.py",
        "    execution: FileNamePart\n",
        "    execution: str\n",
        "tests/tracking/test_records_archive.py::test_a_record_with_a_path_for_a_name_is_passed_over",
    ),
    Mutation(
        "a dump of the configuration hides secrets",
        "mdrnets/config/data.py",
        "    PlainSerializer(redact_urls),\n",
        "",
        "tests/stages/test_secrets.py::test_dumps_of_a_configuration_hide_them",
    ),
    Mutation(
        "a failed download hides secrets",
        "mdrnets/data/download/cache.py",
        'refusals.append(f"{redact_urls(url)}: {refusal}")',
        'refusals.append(f"{url}: {refusal}")',
        "tests/stages/test_secrets.py::test_a_failed_download_hides_them",
    ),
    Mutation(
        "a folder of GPU locks is the user's own",
        "mdrnets/runtime/gpus.py",
        "status.st_uid != os.getuid()",
        "False",
        "tests/runtime/test_gpus.py"
        "::test_a_folder_of_locks_that_another_user_may_have_made_is_refused",
    ),
    Mutation(
        "an empty stored hash is refused",
        "mdrnets/data/download/cache.py",
        'if not re.fullmatch("[0-9a-f]{64}", text):',
        "if False:",
        "tests/data/download/test_cache.py::test_a_stored_hash_that_is_none_is_refused",
    ),
    Mutation(
        "FFHQ's numbers are those of its files",
        "mdrnets/data/download/ffhq.py",
        'if Path(name).stem != f"{number:05}":',
        "if False:",
        "tests/data/download/test_ffhq.py::test_a_list_whose_numbers_are_shifted_is_refused",
    ),
    Mutation(
        "losses that are not finite stop a training before its state is saved",
        "mdrnets/training/loop.py",
        "                    checks.read_pending()\n                    check_weights(",
        "                    check_weights(",
        "tests/training/test_divergence.py::test_what_is_not_finite_stops_the_training",
    ),
    Mutation(
        "a step waits for the numbers of the update before, not for its own",
        "mdrnets/training/checks.py",
        "        self.read_pending()\n        self._pending = update\n",
        "        self._pending = update\n        self.read_pending()\n",
        "tests/methods/test_fake_gpu.py"
        "::test_a_step_never_waits_for_the_gpu_but_once_an_update_and_one_update_late",
    ),
    Mutation(
        "results of other inputs are not imported",
        "mdrnets/exchange/import_results.py",
        "if record.inputs.get(name) != made.get(name, here.get(name)):",
        "if name in made and record.inputs.get(name) != made[name]:",
        "tests/exchange/test_bundle.py::test_what_does_not_fit_is_refused_and_nothing_is_written",
    ),
    Mutation(
        "the demo page answers no page of the web",
        "mdrnets/demo/server.py",
        'if self.headers.get("Host") not in hosts or (',
        "if (",
        "tests/demo/test_server.py::test_other_hosts_and_origins_are_refused",
    ),
    Mutation(
        "variants are compared over the trainings",
        "mdrnets/reporting/claims/finding.py",
        "max(f.p, f.trainings_p or 0)",
        "f.p",
        "tests/reporting/claims/test_ablations.py::"
        "test_trainings_that_differ_more_than_variants_decide_nothing",
    ),
    Mutation(
        "a difference counts only if every training shows it",
        "mdrnets/reporting/claims/finding.py",
        "finding.shown_by != finding.trainings",
        "not finding.shown_by",
        "tests/reporting/claims/test_table1_claims.py::test_a_claim_needs_every_training",
    ),
)


def copy_project(target: Path) -> None:
    """Copy what the tests need to a new folder."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy(source, target / name)


def break_line(project: Path, mutation: Mutation) -> None:
    """Apply a mutation to a copy of the project.

    Raises:
        ValueError: the text is not there once; correct `MUTATIONS`.
    """
    path = project / mutation.file
    text = path.read_text(encoding="utf-8")
    if (count := text.count(mutation.old)) != 1:
        raise ValueError(f"{mutation.file}: found {mutation.old!r} {count} times, expected once")
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")


def run_tests(project: Path, tests: Iterable[str]) -> int:
    """Run tests in a copy of the project; returns pytest's exit code, 1 if a test failed."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "-m", ""]
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *options, *tests],
        cwd=project,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(project)},
        check=False,
    ).returncode
