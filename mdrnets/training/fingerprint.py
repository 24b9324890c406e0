"""The fingerprint of a training: everything that decides its result.

Trainings with the same fingerprint give the same bytes on the same type of machine. The fingerprint
names the folder of an unfinished training; a state with another fingerprint is refused.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from mdrnets.files import sha256


def fingerprint(
    *, parameters: Mapping[str, Any], inputs: Iterable[Path], code: Iterable[Path]
) -> dict[str, Any]:
    """Plain data for `Checkpoints`.

    Args:
        parameters: the values of the configuration that the training uses.
        inputs: the files that it reads.
        code: the source files that it uses.
    """
    return {
        "torch": str(torch.__version__),
        "parameters": dict(parameters),
        "inputs": {str(path): sha256(path) for path in inputs},
        "code": {str(path): sha256(path) for path in code},
    }


def short_hash(values: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits for a folder's name."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
