"""Changes of the configuration, and the errors that they cause."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.load import load_config
from mdrnets.errors import UserError
from tests.helpers.project import edit_yaml

ROOT = Path(__file__).parents[2]
URL = "https://example.org/faces.zip"
Edit = Callable[[dict[str, Any]], None]
Change = Callable[[str, Edit], None]


@pytest.fixture
def change(configs: Path) -> Change:
    """Edits one of the current folder's files in place."""

    def apply(name: str, edit: Edit) -> None:
        with edit_yaml(configs / name) as values:
            edit(values)

    return apply


def load_error(profile: str | None = "smoke") -> str:
    with pytest.raises(UserError) as raised:
        load_config(profile)
    assert "\n" not in str(raised.value)
    return re.sub(r"\.yaml:\d+: ", ".yaml: ", str(raised.value))
