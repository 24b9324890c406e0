"""What the paper does not say: the assumption ledgers and the profile's values.

Then what was tried before the profile changed a published value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mdrnets.assumptions.baselines import (
    BASELINE_CONSTANTS,
    BASELINE_DECISIONS,
    BASELINE_OPTIONS,
)
from mdrnets.assumptions.collect import Assumption
from mdrnets.assumptions.mdrnets import CONSTANTS, DECISIONS, OPTIONS, PROTOCOL
from mdrnets.assumptions.profiles import TUNING_NOTES, find_note
from mdrnets.config.load import Config


@dataclass(frozen=True)
class Entry:
    """A row.

    Attributes:
        name: of the assumption.
        value: at the paper's full size; empty: the published one.
        here: the profile's own value; empty: the same.
        mark: `chosen` or `cited`.
        why: the reason, or the source.
        where: the file in which it enters.
    """

    name: str
    value: str
    here: str
    mark: str
    why: str
    where: str


@dataclass(frozen=True)
class LedgerGroup:
    """Assumptions of one kind."""

    title: str
    entries: Sequence[Entry]


def build_ledgers(config: Config) -> dict[str, list[LedgerGroup]]:
    """Title → groups: of the paper's own method, of the baselines, and of the profile."""
    return {
        "MDRNets, data and metrics": [
            _group("Decisions", DECISIONS, config),
            _group("Options", OPTIONS, config),
            _group("Protocol", PROTOCOL, config),
            _group("Constants", CONSTANTS, config),
        ],
        "Baselines": [
            _group("Decisions", BASELINE_DECISIONS, config),
            _group("Options", BASELINE_OPTIONS, config),
            _group("Constants", BASELINE_CONSTANTS, config),
        ],
        "This profile": [
            LedgerGroup("Tried on validation images", _list_tuned(config)),
            LedgerGroup("Set for the machine", _settings(config)),
        ],
    }


def _group(title: str, assumptions: Sequence[Assumption], config: Config) -> LedgerGroup:
    return LedgerGroup(title, [_entry(assumption, config) for assumption in assumptions])


def _entry(assumption: Assumption, config: Config) -> Entry:
    here = _own(assumption.name, config)
    return Entry(
        name=assumption.name,
        value=_text(assumption.value),
        here="" if here is None or here == assumption.value else _text(here),
        mark=assumption.mark,
        why=assumption.why,
        where=f"mdrnets/{assumption.where}",
    )


def _list_tuned(config: Config) -> list[Entry]:
    """The profile's values of options for which several were tried."""
    own = {name: _own(name, config) for name in TUNING_NOTES}
    return [
        Entry(name, "", _text(here), "chosen", TUNING_NOTES[name], str(config.path))
        for name, here in own.items()
        if here is not None
    ]


def _settings(config: Config) -> list[Entry]:
    """Options that the papers state and the profile changes; the other ledgers have the rest."""
    names = {a.name for a in (*OPTIONS, *BASELINE_OPTIONS)} | set(TUNING_NOTES)
    return [
        Entry(f"{network}.{option}", "", _text(value), "chosen", note, str(config.path))
        for network, values in config.profile.networks.items()
        for option, value in values.items()
        if f"{network}.{option}" not in names and (note := find_note(network, option))
    ]


def _own(name: str, config: Config) -> Any:
    """The profile's value of `network.option`; None: it leaves the default."""
    network, *keys = name.split(".")
    return _look_up(config.profile.networks.get(network), keys)


def _look_up(values: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values if keys else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {inner}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
