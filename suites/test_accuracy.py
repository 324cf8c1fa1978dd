"""Accuracy: is the text right, does it keep still, and is no audio lost on the way?"""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("wer", "erasure", "last_words_missing", "invented_words")
def test_text(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("unaccounted_samples", "out_of_order_segments")
def test_integrity(judged: Judged) -> None:
    judged.check()
