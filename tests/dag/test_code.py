from pathlib import Path

import pytest

from mdrnets.dag.code import code_digest, module_path, python_files
from mdrnets.errors import UserError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "stages/work.py": "from mdrnets.middle import thing\nimport mdrnets.layout\nimport numpy\n",
        "mdrnets/layout.py": "import mdrnets.other\n",
        "mdrnets/__init__.py": "",
        "mdrnets/middle.py": "def thing():\n    from mdrnets import leaf\n",
        "mdrnets/leaf.py": "import mdrnets.middle  # a cycle\n",
        "mdrnets/other.py": "",
        "extra.py": "from mdrnets.leaf import x\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "statement",
    [
        "class A:\n  async def f(self):\n    {}",
        "if a: pass\nelif b: {}",
        "for x in a: pass\nelse: {}",
        "with a: {}",
        "try: {}\nfinally: pass",
        "try: pass\nexcept A: {}",
        "try: pass\nexcept A: pass\nelse: {}",
        "try: pass\nfinally: {}",
        "match a:\n  case 1: {}",
    ],
)
def test_imports_are_followed_in_every_compound_statement(project: Path, statement: str) -> None:
    (project / "start.py").write_text(statement.format("import extra"))
    assert Path("extra.py") in python_files("start")


def test_imports_are_followed_also_inside_functions_and_in_cycles(project: Path) -> None:
    names = [str(path) for path in python_files("stages.work")]
    assert names == ["mdrnets/leaf.py", "mdrnets/middle.py", "stages/work.py"]


def test_what_only_carries_values_is_no_dependency(project: Path) -> None:
    assert Path("mdrnets/layout.py") not in python_files("stages.work", "mdrnets.layout")


def test_a_module_outside_the_package_is_followed_too(project: Path) -> None:
    assert [str(path) for path in python_files("extra")] == [
        "extra.py",
        "mdrnets/leaf.py",
        "mdrnets/middle.py",
    ]


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("mine.net", "from .layers import A"),
        ("mine.net", "from . import layers"),
        ("mine.deep.net", "from ..layers import A"),
        ("mine.deep.net", "from .. import layers"),
        ("mine", "from .layers import A"),
    ],
)
def test_relative_imports_are_followed(project: Path, module: str, statement: str) -> None:
    (project / "mine/deep").mkdir(parents=True)
    (project / "mine/layers.py").write_text("A = 1\n")
    package = project / "mine/__init__.py"
    path = package if module == "mine" else project / f"{module.replace('.', '/')}.py"
    path.write_text(statement)
    assert Path("mine/layers.py") in python_files(module)


@pytest.mark.parametrize(
    "content",
    [b"def f(:", b"<<<<<<< HEAD", b"a\0", b"'\xff'", b"from ... import a"],
)
def test_a_module_that_python_cannot_import_is_named(project: Path, content: bytes) -> None:
    (project / "mdrnets/leaf.py").write_bytes(content)
    with pytest.raises(UserError, match=r"mdrnets/leaf\.py"):
        python_files("stages.work")


def test_installed_and_missing_modules_have_no_file(project: Path) -> None:
    assert python_files("numpy", "nothing.of.this.name") == ()
    assert module_path("numpy") is None


def test_the_current_folder_decides_what_a_module_is(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(python_files("stages.work")) == 3
    other = tmp_path_factory.mktemp("other")
    (other / "stages").mkdir()
    (other / "stages/work.py").symlink_to(project / "stages/work.py")
    monkeypatch.chdir(other)
    assert [str(path) for path in python_files("stages.work")] == ["stages/work.py"]
    monkeypatch.chdir(project)
    assert len(python_files("stages.work")) == 3


def test_a_file_that_is_missing_is_named() -> None:
    """Before any stage runs: the digests of all jobs are part of the graph."""
    with pytest.raises(UserError, match=r"^nope\.txt: file not found; restore it, or correct"):
        code_digest([Path("nope.txt")])
