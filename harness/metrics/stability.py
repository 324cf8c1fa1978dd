"""Metrics of text stability: how much of the displayed text is revised."""

from itertools import pairwise

from harness.contract import ASRSegment
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.text_normalizer import tokens


def common_prefix(before: list[str], now: list[str]) -> int:
    """Count the leading words that two texts share.

    >>> common_prefix(["open", "the"], ["open", "a", "door"])
    1
    """
    count = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        count += 1
    return count


@metric
def normalized_erasure(log: TrialLog) -> Measurement:
    """Words erased by revisions, per word of the finals; 0 if text is only ever appended.

    Source: Arivazhagan et al. 2020, "Re-translation versus Streaming for Simultaneous
    Translation", section 4: each revision erases what follows the longest common prefix.
    """
    erased, kept = 0, 0
    for segment_texts in _by_segment(log):
        words = [tokens(segment.text) for segment in segment_texts]
        erased += sum(len(old) - common_prefix(old, new) for old, new in pairwise(words))
        if segment_texts[-1].is_final:
            kept += len(words[-1])
    if not kept:
        return Measurement(unit="1", absent="no word in any final")
    return Measurement(unit="1", value=erased / kept, count=kept)


@metric
def stable_words_retracted(log: TrialLog) -> Measurement:
    """Share of the words that were reported as stable but changed later."""
    reported, retracted = 0, 0
    for segment_texts in _by_segment(log):
        for old, new in pairwise(segment_texts):
            stable = tokens(" ".join(old.text.split()[: old.stable_words]))
            reported += len(stable)
            retracted += len(stable) - common_prefix(stable, tokens(new.text))
    if not reported:
        return Measurement(unit="1", absent="the provider reported no stable word")
    return Measurement(unit="1", value=retracted / reported, count=reported)


def _by_segment(log: TrialLog) -> list[list[ASRSegment]]:
    groups: dict[tuple[str, int], list[ASRSegment]] = {}
    for source in log.sources:
        for _, segment in log.segments(source):
            groups.setdefault((source, segment.segment_id), []).append(segment)
    return list(groups.values())
