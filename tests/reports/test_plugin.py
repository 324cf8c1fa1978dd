import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.journal.events import TrialStarted
from harness.journal.journal import TrialRecord
from harness.verdicts.evaluate import TrialResult
from reports.plugin import properties_of
from tests.reports.journals import make_spec

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "jinja2", "reports.write")


def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **more},
    )  # fmt: skip


def pytest_run(runs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(
        "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
        "suites/test_speed.py", "--provider", "whisper_cpp", "--duration", "10", "--scenario", "A",
        "--runs-dir", str(runs), *arguments,
    )  # fmt: skip


def test_collecting_loads_nothing_that_only_reports_need() -> None:
    script = (
        "import sys, pytest\n"
        "status = pytest.main(['suites', '--collect-only', '-q', '-p', 'no:cacheprovider',"
        " '-p', 'no:hypothesispytest', '--provider', 'whisper_cpp'])\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert 'reports.plugin' in sys.modules\n"
        "sys.exit(f'loaded: {loaded}' if loaded else int(status))\n"
    )
    done = python("-c", script)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of the real command line: its folder, and what it printed."""
    runs = tmp_path_factory.mktemp("runs")
    done = pytest_run(runs, "--junit-xml", str(runs / "junit.xml"))
    assert done.returncode in (0, 1), done.stdout  # whatever the verdicts are on a busy machine
    return (runs / "latest").resolve(), done.stdout


def test_a_run_leaves_its_reports_and_names_the_page(run: tuple[Path, str]) -> None:
    folder, printed = run
    assert str(folder / "report.html") in printed
    before = {name: (folder / name).read_bytes()
              for name in ("report.html", "summary.md", "figures.csv")}  # fmt: skip
    again = python("-m", "reports", "render", "latest", "--runs-dir", str(folder.parent))
    assert again.returncode == 0, again.stderr
    assert before == {name: (folder / name).read_bytes() for name in before}


def test_a_report_that_cannot_be_written_fails_the_run_and_not_its_table(
    run: tuple[Path, str],
) -> None:
    folder, _ = run
    page = folder / "report.html"
    page.unlink()
    page.mkdir()  # as good as a full disk: nothing can be put there
    done = pytest_run(folder.parent, "--resume", "latest")
    page.rmdir()
    assert done.returncode == 3, done.stdout
    assert f"no report: {page}: can't be written" in done.stdout
    assert "whisper_cpp 2s" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_junit_file_has_each_verdict_with_its_figures(run: tuple[Path, str]) -> None:
    folder, _ = run
    cases = ElementTree.parse(folder.parent / "junit.xml").iter("testcase")
    found = [{each.get("name"): each.get("value") for each in case.iter("property")}
             for case in cases]  # fmt: skip
    rows = csv.DictReader(io.StringIO((folder / "verdicts.csv").read_text()))
    by_name = {row["threshold"]: row for row in rows}
    assert {"rtf_p95", "startup_time"} <= {properties["threshold"] for properties in found}
    for properties in found:
        row = by_name[properties["threshold"] or ""]
        assert properties["level"] == row["level"]
        assert properties["target"] == row["target"]
        assert float(properties["value"] or "nan") == float(row["value"])
        assert properties["trial"] == "whisper_cpp-embedded-2s-speech_heavy"


def test_what_others_wrote_cannot_break_the_properties() -> None:
    spec = make_spec("\x1b[31m<p>", "\ud800\u202e")
    started = TrialStarted(key="k", spec=spec)
    result = TrialResult(TrialRecord(1, started))
    found = dict(properties_of(result, "wer"))
    assert found["status"] == "interrupted"
    assert str(found["trial"]).isprintable()
