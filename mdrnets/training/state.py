"""The state of an unfinished training, from which it resumes as if it had never stopped.

A state holds weights, optimisers, schedulers, position and history. Random number generators are
not saved, because each step seeds them. The last two states are kept, each with its SHA-256.
"""

import logging
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.files import atomic_write, sha256, write_text
from mdrnets.files.arrays import read_tensors
from mdrnets.files.text import read_text
from mdrnets.methods.base import Phase, Trainable
from mdrnets.training.history import History

MAX_STATES = 2
REMEDY = "restart the training"
PLAIN = (bool, int, float, str, type(None))
SHA256 = re.compile("[0-9a-f]{64}")

logger = logging.getLogger(__name__)


class Checkpoints:
    """The states of one training, in one folder."""

    def __init__(self, *, folder: Path, fingerprint: Mapping[str, Any]) -> None:
        """Args:
        fingerprint: everything that decides the training's result, as plain (nested) data.
        """
        self.folder = folder
        self.fingerprint = dict(_flatten(fingerprint))

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Write a state and remove all but the last two.

        Args:
            step: number of steps taken in the whole training.
            state: tensors and plain data; see `snapshot`.
        """
        content = {"fingerprint": self.fingerprint, "state": state}
        for key, value in content.items():
            _check_plain(value, key)
        path = self.folder / f"step-{step:010d}.pt"
        with atomic_write(path) as temporary:
            torch.save(content, temporary)
            # Before the state is renamed: a state with its final name always has a checksum.
            write_text(_checksum(path), f"{sha256(temporary)}  {path.name}\n")
        for old in _files(self.folder)[:-MAX_STATES]:
            _remove(old)

    def load(self) -> dict[str, Any] | None:
        """The last undamaged state, or None if no state was saved.

        Damaged states are removed with a warning.

        Raises:
            UserError: the state has another configuration, or all states are damaged.
        """
        for leftover in self.folder.glob(".*.part"):  # of a process that was killed while saving
            leftover.unlink()
        saved = _files(self.folder)
        for path in reversed(saved):
            content = _read(path)
            if content is not None:
                if differences := self._differences(content):
                    raise UserError(
                        f"{path}: this state has another configuration: {', '.join(differences)}; "
                        f"restore that configuration, or remove {self.folder} to restart the "
                        "training"
                    )
                state: dict[str, Any] = content["state"]
                return state
            if path == saved[0]:
                raise UserError(
                    f"{path}: this state is damaged, and no earlier one was found; remove "
                    f"{self.folder} to restart the training"
                )
            logger.warning("%s: this state is damaged; resuming from the previous one", path)
            _remove(path)
        return None

    def differences(self) -> list[str]:
        """How the configuration of the last undamaged state differs; empty without a state."""
        contents = map(_read, reversed(_files(self.folder)))
        content = next(filter(None, contents), None)
        return self._differences(content) if content else []

    @property
    def last(self) -> Path | None:
        """The newest state's file."""
        saved = _files(self.folder)
        return saved[-1] if saved else None

    def _differences(self, content: Mapping[str, Any]) -> list[str]:
        """The keys in which a state's fingerprint differs, with both values."""
        saved = content["fingerprint"]
        return [
            f"{key} ({_format(saved.get(key))} there, {_format(self.fingerprint.get(key))} here)"
            for key in dict.fromkeys([*self.fingerprint, *saved])
            if saved.get(key) != self.fingerprint.get(key)
        ]


def remove_states(folder: Path) -> None:
    """Remove a folder of states. If it is killed, it leaves a good state or none."""
    for path in _files(folder):
        _remove(path)
    shutil.rmtree(folder)


def snapshot(
    trainable: Trainable, phases: Sequence[Phase], *, phase: int, step: int, history: History
) -> dict[str, Any]:
    """The state that `restore` needs.

    Args:
        trainable: the networks.
        phases: the schedule.
        phase: index of the current phase. Optimisers of earlier phases are not saved, unless a
            later phase shares them.
        step: the last step taken in that phase.
        history: losses of all phases so far.
    """
    return {
        "phase": phase,
        "step": step,
        "weights": trainable.state_dict(),
        "optimisers": _state_dicts({p.name: p.optimisers for p in phases[phase:]}),
        "schedulers": _state_dicts({p.name: p.schedulers for p in phases[phase:]}),
        "history": history.state_dict(),
    }


def restore(
    state: Mapping[str, Any], trainable: Trainable, phases: Sequence[Phase], history: History
) -> tuple[int, int]:
    """Load a saved state into networks, optimisers, schedulers and history.

    Returns:
        The index of the phase, and the last step taken in it.
    """
    index: int = state["phase"]
    trainable.load_state_dict(state["weights"])
    for phase in phases[index:]:
        for name, optimiser in phase.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][phase.name][name])
        for name, scheduler in phase.schedulers.items():
            scheduler.load_state_dict(state["schedulers"][phase.name][name])
    history.load_state_dict(state["history"])
    return index, state["step"]


def _state_dicts(owners: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        phase: {name: owner.state_dict() for name, owner in named.items()}
        for phase, named in owners.items()
    }


def _read(path: Path) -> dict[str, Any] | None:
    """A file's content; None if the file is damaged."""
    load = partial(torch.load, map_location="cpu", weights_only=True)
    try:
        checksum = read_text(_checksum(path), remedy=REMEDY)
        if checksum.split()[:1] != [sha256(path)]:
            return None
        content: dict[str, Any] = read_tensors(path, load, remedy=REMEDY)
    except UserError:
        return None
    complete = isinstance(content, dict) and all(
        isinstance(content.get(key), dict) for key in ("fingerprint", "state")
    )
    return content if complete else None


def _files(folder: Path) -> list[Path]:
    """Files of states, oldest first."""
    return sorted(folder.glob("step-*.pt"))


def _checksum(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _remove(path: Path) -> None:
    path.unlink()
    _checksum(path).unlink(missing_ok=True)


def _format(value: Any) -> str:
    """Hashes are abbreviated: only that they differ is of interest."""
    is_hash = isinstance(value, str) and SHA256.fullmatch(value)
    return f"{value[:8]}…" if is_hash else repr(value)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Pairs with nested keys joined by dots, such as `options.lr`."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _check_plain(value: Any, where: str) -> None:
    """Raise TypeError for values that `torch.load` would refuse with `weights_only=True`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_plain(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_plain(item, f"{where}.{index}")
    elif type(value) not in PLAIN and not isinstance(value, Tensor):
        raise TypeError(f"{where}: {type(value).__name__} is neither a tensor nor plain data")
