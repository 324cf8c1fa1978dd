"""Imports go one way, and nothing is loaded before it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def test_only_plugins_and_suites_know_pytest() -> None:
    wrong = [f"{path.relative_to(ROOT)}:{line}" for folder in ALLOWED for path in sources(folder)
             for name, line in imported(path) if name in {"pytest", "_pytest", "pluggy"}
             and not str(path.relative_to(ROOT)).startswith(WITH_PYTEST)]  # fmt: skip
    assert wrong == []


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
