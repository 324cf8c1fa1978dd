"""What `docs/adding-a-provider.md` shows is run here, as a package that was installed."""

import subprocess
import sys
from pathlib import Path

import pytest
from jiwer import wer

from harness.journal.events import SegmentArrived, Utterance
from harness.specs.trial import TrialStatus
from harness.text_normalizer import tokens
from tests.documented_packages import ROOT, blocks, install, with_packages
from tests.trials import run_command

pytestmark = pytest.mark.slow

PAGE = "adding-a-provider.md"
MAX_LINES = 30
HIGHEST_WER = 0.3


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's package."""
    folder = tmp_path_factory.mktemp("site-packages")
    (code,), (project,) = blocks(PAGE, "python"), blocks(PAGE, "toml")
    install(folder, project, "echobench_beam", code)
    return folder


def test_the_provider_is_short() -> None:
    (code,) = blocks(PAGE, "python")
    body = code[code.index("class ") :]
    assert sum(bool(line.strip()) for line in body.splitlines()) <= MAX_LINES


def test_the_provider_is_written_as_ours_are(installed: Path) -> None:
    """Typed strictly, and in the same style; docstrings are left to the page around it."""
    path = installed / "echobench_beam.py"
    for command in (
        ["ruff", "check", "--config", "pyproject.toml", "--ignore", "D,I001"],
        ["ruff", "format", "--check", "--config", "pyproject.toml"],
    ):
        child = subprocess.run(
            [sys.executable, "-m", *command, str(path)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert child.returncode == 0, child.stdout + child.stderr


def test_the_provider_is_measured(installed: Path, tmp_path: Path) -> None:
    """By its entry point, with its option, through the command line, in a worker of its own."""
    _, printed, record = run_command(
        [sys.executable, "-m", "pytest", "suites/test_accuracy.py", "-q", "-p", "no:cacheprovider",
         "--provider", "beam:beam_size=2", "--duration", "8", "--scenario", "A",
         "--runs-dir", str(tmp_path)],
        tmp_path, cwd=ROOT, env=with_packages(installed),
    )  # fmt: skip
    assert record.ended is not None, printed
    assert record.ended.status is TrialStatus.OK, record.ended.reason
    assert record.started.spec.settings == {"beam_size": 2}
    heard = [event.segment for event in record.events
             if isinstance(event, SegmentArrived) and event.segment.is_final]  # fmt: skip
    spoken = [event.text for event in record.events if isinstance(event, Utterance)]
    said = tokens(" ".join(segment.text for segment in heard))
    assert wer(" ".join(tokens(" ".join(spoken))), " ".join(said)) < HIGHEST_WER
    assert all(segment.words for segment in heard)
