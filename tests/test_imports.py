"""Imports go one way, and nothing is loaded before it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from models.training.conftest import NEED_TORCH

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "harness": {"harness"},
    "providers": {"harness", "models", "providers"},
    "corpora": {"harness", "models", "corpora"},
    "models": {"harness", "corpora", "models"},
    "suites": {"harness", "suites"},
    "reports": {"harness", "models", "reports"},
}
"""What the files of a folder may import of ours; `harness` finds the others by name."""
OURS = {*ALLOWED, "tests"}
FLOORS = """
    support specs machine journal timeline vad metrics provider processes meters session ladder
    activities live runner verdicts plugin commands
""".split()
"""The folders of `harness/`, from the ground up: each imports from itself and those before it."""
LOOSE = set("errors clock audio contract requirements statistics text_normalizer".split())
"""The modules beside them, which import from no folder but `support`."""
MOST_FOLDERS = 30
WITH_PYTEST = ("harness/plugin/", "reports/plugin.py", "suites/", "conftest.py")
ENGINES = """
    pywhispercpp _pywhispercpp faster_whisper ctranslate2 torch onnxruntime transformers vosk
    sherpa_onnx pocketsphinx onnx_asr parakeet_mlx mlx onnx huggingface_hub tokenizers espeak
    openai mistralai httpx2 pydantic
""".split()


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports anywhere, by its first name, and the line."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative"
            assert node.module is not None
            yield node.module.partition(".")[0], node.lineno


def imported_modules(path: Path) -> Iterator[tuple[str, int]]:
    """Every module of ours that a file imports anywhere, by its whole name, and the line."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # What is imported from a package may be a module in it.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((name if is_module(name) else str(node.module), node.lineno)
                        for name in names)  # fmt: skip


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def floor_of(module: str) -> str:
    """The folder of `harness/` in which a module is, or the module itself where it is loose."""
    return [*module.split("."), ""][1]


def arrows(folder: str) -> dict[str, set[str]]:
    """Which folders of a package (or files beside them) import from which others."""
    found: dict[str, set[str]] = {}
    for path in sources(folder):
        here = floor_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, _ in imported_modules(path):
            if name.startswith(f"{folder}.") and (there := floor_of(name)) != here:
                found.setdefault(here, set()).add(there)
    return found


def modules(folder: str) -> list[str]:
    """The names of all modules of a package."""
    names = [path.relative_to(ROOT).with_suffix("").parts for path in sources(folder)]
    return [".".join(name[:-1] if name[-1] == "__init__" else name) for name in names]


def loaded_by(names: list[str]) -> set[str]:
    """What a fresh Python has loaded after importing these, by first names."""
    script = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    wrong = [f"{path.relative_to(ROOT)}:{line} imports {name}" for path in sources(folder)
             for name, line in imported(path) if name in OURS - ALLOWED[folder]]  # fmt: skip
    assert wrong == []


def test_the_folders_of_the_harness_import_only_downward() -> None:
    wrong = []
    for path in sources("harness"):
        here = floor_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if here in ("__init__", "__main__"):
            continue
        below = FLOORS[: FLOORS.index(here) + 1] if here in FLOORS else ["support"]
        wrong += [f"{path.relative_to(ROOT)}:{line} imports {name}"
                  for name, line in imported_modules(path) if name.startswith("harness.")
                  and floor_of(name) not in {*below, *LOOSE}]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("folder", ["providers", "reports"])
def test_no_folders_import_one_another_in_a_circle(folder: str) -> None:
    try:
        order = list(TopologicalSorter(arrows(folder)).static_order())
    except CycleError as error:
        pytest.fail(f"{folder}: {' imports '.join(reversed(error.args[1]))}")
    assert len(order) > 5


def test_the_harness_is_made_of_few_folders_and_no_other_loose_modules() -> None:
    top = ROOT / "harness"
    assert {path.stem for path in top.glob("*.py")} == {"__init__", "__main__", *LOOSE}
    folders = {path.parent for path in sources("harness")} - {top}
    assert {path.name for path in folders if path.parent == top} == set(FLOORS)
    assert len(folders) <= MOST_FOLDERS


def test_no_doctest_needs_torch() -> None:
    """Else it would not be run where torch isn't installed."""
    wrong = [name for name in NEED_TORCH
             if ">>>" in (ROOT / "models" / "training" / f"{name}.py").read_text()]  # fmt: skip
    assert wrong == []


def test_only_plugins_and_suites_know_pytest() -> None:
    wrong = [f"{path.relative_to(ROOT)}:{line}" for folder in ALLOWED for path in sources(folder)
             for name, line in imported(path) if name in {"pytest", "_pytest", "pluggy"}
             and not str(path.relative_to(ROOT)).startswith(WITH_PYTEST)]  # fmt: skip
    assert wrong == []


@pytest.mark.slow
def test_only_reports_know_pandas() -> None:
    wrong = [f"{path.relative_to(ROOT)}:{line}" for folder in set(ALLOWED) - {"reports"}
             for path in sources(folder) for name, line in imported(path)
             if name == "pandas"]  # fmt: skip
    assert wrong == []


def test_the_root_conftest_only_loads_plugins() -> None:
    assert list(imported(ROOT / "conftest.py")) == []


def test_the_harness_loads_neither_engines_nor_pandas_nor_pytest() -> None:
    names = [name for name in modules("harness") if not name.startswith("harness.plugin")]
    assert len(names) > 30
    loaded = loaded_by(names)
    assert loaded & {*ENGINES, "pandas", "pytest", "_pytest", "jinja2", *OURS} == {"harness"}


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["harness", "providers", "corpora", "reports"])
def test_no_module_loads_an_engine(folder: str) -> None:
    """Providers import theirs when they load a model."""
    assert loaded_by(modules(folder)) & set(ENGINES) == set()


def test_looking_for_providers_imports_none() -> None:
    script = (
        "import sys; from harness.provider.registry import names; print(names('providers'));"
        "print(sorted(n for n in sys.modules if n.startswith('providers.')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found, loaded = result.stdout.splitlines()
    assert "whisper_cpp" in found
    assert loaded == "[]"
