"""Speed: does the provider keep up with the audio, from the first chunk on?"""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("rtf_p95", "voxtral_speed")
def test_rtf(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("dropped_chunks", "queue_depth")
def test_queue(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("startup_time", "stop_time")
def test_session(judged: Judged) -> None:
    judged.check()
