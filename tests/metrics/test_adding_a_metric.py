"""What `docs/adding-a-metric.md` shows is run here, as a package that was installed."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documented_packages import ROOT, blocks, install, with_packages
from tests.trials import run_command

pytestmark = pytest.mark.slow

PAGE = "adding-a-metric.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's package, its thresholds and its test."""
    folder = tmp_path_factory.mktemp("site-packages")
    (metric, suite), (project, limits) = blocks(PAGE, "python"), blocks(PAGE, "toml")
    install(folder, project, "caption_metrics", metric)
    (folder / "captions.toml").write_text(limits)
    (folder / "test_captions.py").write_text(suite)
    return folder


def test_the_metric_is_written_as_ours_are(installed: Path) -> None:
    path = str(installed / "caption_metrics.py")
    for command in (
        ["ruff", "check", "--config", "pyproject.toml", "--ignore", "I001"],
        ["ruff", "format", "--check", "--config", "pyproject.toml"],
        ["mypy", "--strict"],
    ):
        child = subprocess.run(
            [sys.executable, "-m", *command, path],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert child.returncode == 0, child.stdout + child.stderr


def test_the_metric_is_measured_and_judged(installed: Path, tmp_path: Path) -> None:
    """By its entry point, with the page's thresholds and test, through the console script."""
    status, printed, _ = run_command(
        [sys.executable, "-m", "echobench", "run", str(installed / "test_captions.py"), "-q",
         "--thresholds", str(installed / "captions.toml"), "--provider", "whisper_cpp",
         "--scenario", "A", "--duration", "20", "--runs-dir", str(tmp_path)],
        tmp_path, cwd=ROOT, env=with_packages(installed),
    )  # fmt: skip
    assert status == 0, printed
    with (tmp_path / "latest" / "verdicts.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["metric"] == "words_per_final"
    assert float(row["value"]) >= 1
