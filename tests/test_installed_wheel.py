"""The wheel: what is in it, and that a copy installed from it measures, outside any checkout."""

import csv
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.trials import run_command

ROOT = Path(__file__).parents[1]
DATA = (
    "corpora/embedded/manifest.jsonl", "corpora/embedded/audio/000.flac",
    "harness/live/page/index.html", "models/embedded/ggml-q8_0.bin",
    "models/embedded/ct2/model.bin", "reports/templates/report.html.j2",
    "reports/templates/report.css", "suites/test_speed.py", "suites/thresholds.toml",
    "suites/scenarios/speech_heavy.toml", "suites/adapters/echopanel.toml",
)  # fmt: skip
pytestmark = pytest.mark.slow


def outside() -> dict[str, str]:
    """The environment without what leads to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(*command: object, cwd: Path, status: int = 0) -> str:
    """Run a command without the checkout on any path; returns all that it printed."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=outside(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git tracks, built in a copy, so that no build folder is left here."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).symlink_to(ROOT / name)
    run(sys.executable, "-m", "pip", "wheel", copy, "--no-deps", "--no-build-isolation",
        "--no-index", "--wheel-dir", out, cwd=out)  # fmt: skip
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel; what it depends on is borrowed from ours."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index",
        wheel, cwd=folder)  # fmt: skip
    (packages,) = folder.glob("lib/python*/site-packages")
    # Lines of .pth files there aren't followed, so our own editable installation isn't borrowed.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    found = run(python, "-c", "import harness, reports; print(harness.__file__)", cwd=folder)
    assert Path(found.strip()).is_relative_to(packages)
    return folder / "bin"


def test_the_wheel_has_the_data_and_not_the_workshop(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    assert names >= set(DATA)
    top = {name.partition("/")[0] for name in names}
    ours = {"harness", "providers", "corpora", "models", "suites", "reports", "echobench.py"}
    assert top == ours | {"echobench-0.1.0.dist-info"}
    assert not [name for name in names
                if name.startswith(("models/training", "corpora/synthesis", "reports/history"))
                or "__pycache__" in name]  # fmt: skip
    tracked = set(run("git", "ls-files", *ours, cwd=ROOT).splitlines())
    left_out = {name for name in tracked - names
                if not name.startswith(("models/training", "corpora/synthesis"))}  # fmt: skip
    assert left_out <= {"reports/history/README.md"}


def test_an_installed_copy_measures_in_a_project_that_is_not_ours(
    installed: Path, tmp_path: Path
) -> None:
    """Beside packages with the names of ours, a conftest and settings of pytest that fail."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('loaded')\n")
    for name in ("harness", "models", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')\n")
    before = {path.name for path in tmp_path.iterdir()}
    status, printed, _ = run_command(
        [installed / "echobench", "run", "--provider", "whisper_cpp", "--scenario", "A",
         "--duration", "60", "--chunk-seconds", "2", "-k", "accuracy"],
        tmp_path / "runs", cwd=tmp_path, env=outside(),
    )  # fmt: skip
    assert status == 0, printed
    assert "report.html" in printed
    assert {path.name for path in tmp_path.iterdir()} - before == {"runs"}
    with (tmp_path / "runs" / "latest" / "verdicts.csv").open(newline="") as file:
        levels = {row["threshold"]: row["level"] for row in csv.DictReader(file)}
    assert levels["wer"] == levels["unaccounted_samples"] == "pass"
    page = (tmp_path / "runs" / "latest" / "report.html").read_text()
    assert "whisper_cpp" in page
    assert "runs/" in run(installed / "echobench", "report", "latest", cwd=tmp_path)
    assert (tmp_path / "runs" / "history").exists() is False
    run(installed / "echobench", "trend", "--add", "latest", cwd=tmp_path)
    assert list((tmp_path / "runs" / "history").glob("*.jsonl"))


def test_an_installed_copy_has_no_revisions_to_compare(installed: Path, tmp_path: Path) -> None:
    printed = run(installed / "echobench", "gate", "--base", "main", cwd=tmp_path, status=3)
    assert printed.splitlines() == [printed.strip()]
    assert "gate --base: this is an installed copy" in printed
