"""Soak: growth of memory, threads and open files."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("memory_growth", "thread_growth", "open_file_growth")
def test_growth(judged: Judged) -> None:
    judged.check()
