"""Forbidden side effects of a provider while audio runs, and the truth of its reports."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("process_spawns", "files_created", "loop_stall_p99", "detached_cpu")
def test_conduct(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("references_read", "reported_inference_share", "health_error")
def test_honesty(judged: Judged) -> None:
    judged.check()
