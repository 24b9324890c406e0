"""A pickle that writes a file when it is loaded, as an attacker's would run a program."""

from pathlib import Path


class HostilePickle:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        return Path.write_text, (self.path, "code was run")

    @property
    def ran(self) -> bool:
        return self.path.exists()
