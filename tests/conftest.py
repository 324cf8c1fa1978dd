"""Fixtures for tests of any folder."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.meters.environment import cpu_times_s
from harness.runner.validity import VARIABLE as VALIDITY
from tests import profiles
from tests.browser import browser_path, running_browser
from tests.command_lines import PytestCommand, serving_pytest
from tests.trials import STAND_INS, write_corpus
from tests.turns import turn

# Tests share their machine with others; what they check is not how busy it is.
os.environ.setdefault(VALIDITY, '{"others_share": 1, "late_p99_s": 60, "late_p99_macos_s": 60}')
# They start some hundreds of Pythons: each need not compile all files again, nor start threads for
# numpy's linear algebra.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell has it for what it starts in the background; children would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
profiles.load()
for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
    del os.environ[name]  # a pytest that a test starts is no part of this one


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes a core, since tests wait for half of their time; more than eight would idle."""
    cores, _, _ = cpu_times_s()
    return min(2 * cores, 8)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Leave what collecting made, which stays to the end, out of each search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Wait for the test's turn, where other processes run tests of this run."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    folder = Path(item.config.option.basetemp).parent
    with turn(folder, alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of six short utterances with word times."""
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[None]:
    """Make the stand-in providers known, in this process and in workers, as if installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(STAND_INS)
        yield


@pytest.fixture
def late_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold how late audio is played to the limits of a run, which other tests are spared."""
    monkeypatch.setenv(VALIDITY, '{"others_share": 1}')


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """The address of a browser in which each test opens tabs of its own."""
    path = browser_path()
    if path is None:
        pytest.skip("needs Chromium or Chrome; apt install chromium")
    with running_browser(path) as address:
        yield address


@pytest.fixture(scope="session")
def run_pytest() -> Iterator[PytestCommand]:
    """Does what `python -m pytest` with some arguments does, and gives its status and output."""
    with serving_pytest() as command:
        yield command
