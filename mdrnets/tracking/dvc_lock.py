"""What `dvc.lock` records of results: their hashes, and the code and values that made them.

DVC restores results of other executions than the records on this machine describe: from another
commit, or from its cache of earlier runs.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mdrnets.config.yaml_loader import DAMAGED_YAML
from mdrnets.dag.pipeline import Job
from mdrnets.files import hash_file
from mdrnets.files.dvc import LOCK_FILE


class DvcLock:
    """The content of `dvc.lock`; empty if it is missing or damaged."""

    @cached_property
    def _outputs(self) -> dict[str, dict[str, Any]]:
        """Path → its entry, with the parameters of its stage; read when it is first needed."""
        outputs: dict[str, dict[str, Any]] = {}
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for stage in yaml.load(LOCK_FILE.read_bytes(), loader)["stages"].values():  # a safe one
                for out in stage.get("outs", ()):
                    if out.get("hash") == "md5":
                        outputs[out["path"]] = {
                            "md5": out["md5"],
                            "params": stage.get("params", {}),
                        }
        except (OSError, *DAMAGED_YAML):
            return {}
        return outputs

    def __contains__(self, path: str) -> bool:
        return path in self._outputs

    def describes(self, path: str) -> bool:
        """Whether a file has the bytes that DVC recorded or restored last."""
        return path in self and self._outputs[path]["md5"] == hash_file(Path(path), "md5")

    def has_current_code(self, job: Job, code: Path) -> bool:
        """Whether DVC's results of a job were made by today's code and configuration.

        Args:
            job: as it is configured now.
            code: the file from which DVC's stages read their digests.
        """
        for path in job.outputs:
            parameters = self._outputs[str(path)]["params"] if str(path) in self else {}
            digests = parameters.get(str(code), {})
            recorded = digests.get(".".join(job.path), {})
            # Compared as texts: DVC writes 1e-05, which other readers of YAML take for a text.
            if _texts(recorded) != _texts(job.digest):
                return False
        return True


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return str(value)
