"""Forbidden side effects: what no provider may do while audio runs."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("process_spawns", "files_created", "loop_stall_p99", "detached_cpu")
def test_conduct(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("references_read", "reported_inference_share", "health_error")
def test_honesty(judged: Judged) -> None:
    judged.check()
