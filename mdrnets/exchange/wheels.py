"""The wheels that another machine lacks, in the versions of `requirements.lock`.

The dependencies are those of the packages that are installed here. Packages that the other machine
has in a suitable version are left out, together with what only they need.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from mdrnets.errors import UserError
from mdrnets.files import atomic_write, reproducible_zipinfo
from mdrnets.files.text import read_text

LOCK = Path("requirements.lock")
PROJECT = "mdrnets"
"""The distribution whose requirements say which versions fit."""
GLIBC = range(5, 29)
"""Minor versions of glibc 2 whose wheels are taken: Debian 10, RHEL 8 and later have 2.28."""
OLDEST_PYTHON = (3, 11)
NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")
LISTED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:==|\s+)(\d[^\s;]*)(?:\s.*)?")
"""A line of `pip list`, in columns or with `--format=freeze`."""


def read_pip_list(path: Path) -> dict[str, Version]:
    """The packages that `pip list` printed: name → version.

    Raises:
        UserError: the file is missing, or has a line that is not one of `pip list`.
    """
    packages: dict[str, Version] = {}
    for number, line in enumerate(read_text(path, remedy="run `pip list` there").splitlines(), 1):
        if not line.strip() or re.match(r"(Package\s+Version|-+\s)", line):
            continue
        found = LISTED.fullmatch(line.strip())
        try:
            version = Version(found[2]) if found else None
        except InvalidVersion:
            version = None
        if found is None or version is None:
            raise UserError(
                f"{path}: line {number}: found {line[:80]!r}, expected a package and its version; "
                "write the file with `pip list > pip-list.txt` on the other machine"
            )
        packages[canonicalize_name(found[1])] = version
    if not packages:
        raise UserError(f"{path}: found no package, expected the output of `pip list`")
    return packages


def find_lacking(
    imports: Iterable[str],
    present: Mapping[str, Version],
    *,
    python: str,
    without: Collection[str] = (),
) -> list[str]:
    """The distributions that a machine lacks, sorted.

    Args:
        imports: names of the modules that it will import.
        present: its distributions.
        python: its version of Python, such as `3.12`.
        without: distributions that it does not need, even if others require them.

    Raises:
        UserError: the version is too old, or a module is not installed here.
    """
    environment = _environment(python)
    required = {r.name: r for r in map(Requirement, metadata.requires(PROJECT) or ())}
    fitting = {str(canonicalize_name(name)): r.specifier for name, r in required.items()}
    distributions = metadata.packages_distributions()
    # Extras, and the versions that what needs it takes.
    waiting: list[tuple[str, frozenset[str], SpecifierSet]] = []
    for name in sorted(imports):
        if name not in distributions:
            raise UserError(
                f"{name}: this module is not installed here, so what it needs is not known; run "
                "`make environment`"
            )
        waiting.append((canonicalize_name(distributions[name][0]), frozenset(), SpecifierSet()))
    found: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras, wanted = waiting.pop()
        wanted &= fitting.get(name, SpecifierSet())
        fits = name in present and wanted.contains(present[name], prereleases=True)
        if (name, extras) in found or name in without or fits:
            continue
        found.add((name, extras))
        waiting += _dependencies(name, extras, environment)
    return sorted({name for name, _ in found})


def read_requirements(names: Iterable[str], *, python: str) -> list[str]:
    """The entries of `requirements.lock` for these packages, with their hashes.

    Raises:
        UserError: the lock file has no entry for one of them.
    """
    environment = _environment(python)
    entries: dict[str, str] = {}
    for entry in _entries(read_text(LOCK, remedy="run `make lock`")):
        requirement = Requirement(entry.partition("--hash")[0].replace("\\", "").strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            entries[canonicalize_name(requirement.name)] = entry
    wanted = sorted(names)
    if unknown := [name for name in wanted if name not in entries]:
        raise UserError(f"{LOCK}: {unknown[0]} not found; run `make lock`")
    return [entries[name] for name in wanted]


def write_wheels(
    archive: Path, requirements: Iterable[str], *, root: str, python: str, find_links: Path | None
) -> None:
    """Download the wheels and write them into one archive, with the list for pip.

    Args:
        archive: the file to write.
        requirements: entries of `requirements.lock`.
        root: folder in the archive.
        python: version of Python of the machine that they are for.
        find_links: folder of wheels to take them from; by default pip's index.

    Raises:
        UserError: pip cannot get a wheel.
    """
    entries = list(requirements)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _download(entries, folder, python=python, find_links=find_links)
        # Without hashes: pip checks all if one entry has one, and a built wheel has another.
        plain = "".join(f"{entry.partition(' ')[0]}\n" for entry in entries)
        (folder / "requirements.txt").write_text(plain, encoding="utf-8")
        with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
            for path in sorted(folder.iterdir()):
                member = reproducible_zipinfo(f"{root}/wheels/{path.name}")
                packed.writestr(member, path.read_bytes())


def _download(
    requirements: Iterable[str], folder: Path, *, python: str, find_links: Path | None
) -> None:
    platforms = ["linux_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in GLIBC)]
    platforms += ["manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"]
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    target += [f"--platform={platform}" for platform in platforms]
    source = ["--no-index", f"--find-links={find_links}"] if find_links else []
    entries = list(requirements)
    while entries:
        wanted = folder / "wanted.txt"
        wanted.write_text("\n".join(entries) + "\n", encoding="utf-8")
        error = _pip("download", wanted, f"--dest={folder}", *target, *source)
        wanted.unlink()
        if error is None:
            return
        without = NO_WHEEL.search(error)
        entry = next((e for e in entries if without and e.startswith(without[1])), None)
        if entry is None or find_links:
            raise _pip_error(error, python, find_links)
        _build(entry, folder, python)
        entries.remove(entry)


def _build(entry: str, folder: Path, python: str) -> None:
    """Build the wheel of a package that publishes its sources only, if it is pure Python."""
    with tempfile.TemporaryDirectory() as name:
        wanted = Path(name, "wanted.txt")
        wanted.write_text(entry + "\n", encoding="utf-8")
        error = _pip("wheel", wanted, f"--wheel-dir={name}")
        built = list(Path(name).glob("*-none-any.whl"))
        if error is not None or not built:
            package = entry.partition(" ")[0]
            raise _pip_error(error or f"{package} has no wheel that fits", python, None)
        shutil.copy(built[0], folder)


def _pip(command: str, requirements: Path, *options: str) -> str | None:
    """Run pip for locked requirements; returns what it said if it failed."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", f"--requirement={requirements}", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else None


def _pip_error(said: str, python: str, find_links: Path | None) -> UserError:
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no message"]
    reason = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1])
    return UserError(
        f"{find_links or 'the index of pip'}: no wheels for Python {python}: pip says "
        f"`{reason[:300]}`; connect this machine to the index, or pass a folder that has the "
        "wheels as --find-links"
    )


def _environment(python: str) -> dict[str, str]:
    """The values of the markers of dependencies on 64-bit Linux.

    Raises:
        UserError: it is no version of Python, or one that is too old.
    """
    found = re.fullmatch(r"(\d+)\.(\d+)", python)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_PYTHON:
        raise UserError(
            f"--python: found {python!r}, expected a version from "
            f"{'.'.join(map(str, OLDEST_PYTHON))} on, such as 3.12"
        )
    values = {key: str(value) for key, value in default_environment().items()}
    return values | {
        "extra": "",
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def _dependencies(
    name: str, extras: Collection[str], environment: Mapping[str, str]
) -> Iterator[tuple[str, frozenset[str], SpecifierSet]]:
    """What a distribution with some of its extras requires: names, extras and versions."""
    for text in metadata.requires(name) or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # in an old package
            continue
        marker = requirement.marker
        if marker is None or any(
            marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras)
        ):
            required = canonicalize_name(requirement.name)
            yield required, frozenset(requirement.extras), requirement.specifier


def _entries(lock: str) -> Iterator[str]:
    """Requirements with their continued lines."""
    entry: list[str] = []
    for line in lock.splitlines():
        if line.startswith("#"):
            continue
        entry.append(line)
        if not line.endswith("\\"):
            if any(part.strip() for part in entry):
                yield "\n".join(entry)
            entry = []
