"""Silence: what the filter before the queue saves, and the speech that it loses."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("cpu_over_speech_heavy", "vad_cpu", "vad_false_acceptance")
def test_saving(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("vad_false_rejection", "vad_words_lost")
def test_loss(judged: Judged) -> None:
    judged.check()
