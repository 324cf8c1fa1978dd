"""Accuracy: errors and stability of the text, order of segments, and lost audio."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("wer", "erasure", "last_words_missing", "invented_words")
def test_text(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("unaccounted_samples", "out_of_order_segments")
def test_integrity(judged: Judged) -> None:
    judged.check()
