"""What `docs/adding-a-provider.md` shows is run here, as a package that was installed."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jiwer import wer

from harness.journal.events import SegmentArrived, Utterance
from harness.journal.journal import read_journal
from harness.specs.trial import TrialStatus
from harness.text_normalizer import tokens

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-provider.md"
MAX_LINES = 30
HIGHEST_WER = 0.3


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's package, and what pip writes beside one from its project file."""
    folder = tmp_path_factory.mktemp("site-packages")
    (code,), (project,) = blocks("python"), blocks("toml")
    (folder / "echobench_beam.py").write_text(code)
    about = tomllib.loads(project)["project"]
    info = folder / f"echobench_beam-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    lines = [f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
             for group, points in about["entry-points"].items()]  # fmt: skip
    (info / "entry_points.txt").write_text("".join(lines))
    return folder


def test_the_provider_is_short() -> None:
    (code,) = blocks("python")
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
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "suites/test_accuracy.py", "-q", "-p", "no:cacheprovider",
         "--provider", "beam:beam_size=2", "--duration", "8", "--scenario", "A",
         "--runs-dir", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    (journal,) = tmp_path.glob("2*/journal.jsonl")
    (record,) = read_journal(journal)
    assert record.ended is not None, child.stdout
    assert record.ended.status is TrialStatus.OK, record.ended.reason
    assert record.started.spec.settings == {"beam_size": 2}
    heard = [event.segment for event in record.events
             if isinstance(event, SegmentArrived) and event.segment.is_final]  # fmt: skip
    spoken = [event.text for event in record.events if isinstance(event, Utterance)]
    said = tokens(" ".join(segment.text for segment in heard))
    assert wer(" ".join(tokens(" ".join(spoken))), " ".join(said)) < HIGHEST_WER
    assert all(segment.words for segment in heard)
