"""Fixtures for tests of any folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.runner.validity import VARIABLE as VALIDITY
from tests import profiles
from tests.browser import browser_path, running_browser
from tests.trials import STAND_INS, write_corpus

# Tests share their machine with whatever else runs there; what they check is not how fast it is.
os.environ.setdefault(VALIDITY, '{"others_share": 1}')
profiles.load()


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """The address of a browser, for tests marked with the xdist group "browser"."""
    path = browser_path()
    if path is None:
        pytest.skip("needs Chromium or Chrome; apt install chromium")
    with running_browser(path) as address:
        yield address
