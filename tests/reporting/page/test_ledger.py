import pytest

from mdrnets.assumptions.baselines import BASELINE_LEDGER
from mdrnets.assumptions.mdrnets import LEDGER
from mdrnets.assumptions.profiles import TUNING_NOTES
from mdrnets.config.load import load_config
from mdrnets.reporting.page.ledger import Entry, build_ledgers


@pytest.fixture
def entries() -> dict[str, Entry]:
    *kinds, _ = build_ledgers(load_config("demo")).values()
    groups = [group for kind in kinds for group in kind]
    return {entry.name: entry for group in groups for entry in group.entries}


def test_every_assumption_is_listed_once(entries: dict[str, Entry]) -> None:
    assert len(entries) == len(LEDGER) + len(BASELINE_LEDGER)
    assert entries.keys() == {assumption.name for assumption in LEDGER + BASELINE_LEDGER}


def test_the_profiles_own_values_stand_beside(entries: dict[str, Entry]) -> None:
    networks = load_config("demo").profile.networks
    assert entries["mdrnets.width"].value == "64"
    assert entries["mdrnets.width"].here == str(networks["mdrnets"]["width"])
    assert entries["mdrnets.dilations"].value == "1, 2, 4, 8"
    assert entries["coarse.weights.style"].here == str(networks["coarse"]["weights"]["style"])
    assert entries["coarse.weights.hole"].here == ""  # as published
    assert entries["InCo² distance"].here == ""  # no option


@pytest.mark.parametrize("profile", ["demo", "real64"])
def test_what_was_tried_stands_beside_the_value_that_was_kept(profile: str) -> None:
    config = load_config(profile)
    group, _ = build_ledgers(config)["This profile"]
    networks = config.profile.networks
    tried = [key for key in TUNING_NOTES if key.split(".")[1] in networks[key.split(".")[0]]]
    assert [entry.name for entry in group.entries] == tried
    assert profile != "demo" or tried == list(TUNING_NOTES)
    style = next(entry for entry in group.entries if entry.name == "mdrnets.weights.style")
    assert style.here == str(config.profile.networks["mdrnets"]["weights"]["style"])
    assert style.where == f"profiles/{profile}.yaml"


def test_values_for_the_machine_stand_beside_their_reason() -> None:
    _, group = build_ledgers(load_config("real64"))["This profile"]
    entries = {entry.name: entry for entry in group.entries}
    assert entries["ctsdg.edge_sigma"].here == "1.0"
    assert entries["ict.chunk"].why
    assert "mdrnets.width" not in entries  # it is in the ledger of MDRNets
    assert "ict.colours" not in entries  # it was tried
