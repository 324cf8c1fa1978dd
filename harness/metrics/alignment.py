"""Which recognised word stands for which spoken one, and when each was shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import jiwer

from harness.contract import ASRSegment, AudioSource
from harness.metrics.triallog import TrialLog
from harness.text_normalizer import tokens


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the truth; times are since its source's start, None where the corpus has none."""

    token: str
    end_s: float | None
    utterance: int
    middle_s: float | None = None


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word of a final: when it was first shown, when for the last time it changed, when final.

    Those times are seconds on the trial's clock. When it was said, as the provider tells, is in
    seconds of audio: the middle of the word.
    """

    token: str
    first_s: float
    settled_s: float
    final_s: float
    said_s: float = 0.0


@dataclass
class Alignment:
    """The spoken words of a source, and for each the shown word that matches it, or None."""

    spoken: list[SpokenWord]
    shown: list[ShownWord]
    matches: list[ShownWord | None]
    errors: list[int] = field(default_factory=list)
    """Substitutions, deletions and insertions, by utterance."""
    words: list[int] = field(default_factory=list)
    """Spoken words, by utterance."""
    by_utterance: list[list[ShownWord]] = field(default_factory=list)
    """Shown words, right or wrong, by utterance."""
    pieces: list[jiwer.AlignmentChunk] = field(default_factory=list)
    """Runs of words of which the same became, as places in `spoken` and in `shown`."""


def align(log: TrialLog, source: AudioSource) -> Alignment:
    """Align a source's finals with its truth, by the fewest word errors.

    An inserted word counts for the utterance of the spoken word before it.
    """
    return log.once(("alignment", source), lambda: _align(log, source))


def _align(log: TrialLog, source: AudioSource) -> Alignment:
    spoken = spoken_words(log, source)
    shown = shown_words(log.segments(source))
    utterances = len(log.truth(source))
    result = Alignment(spoken, shown, [None] * len(spoken), [0] * utterances, [0] * utterances)
    result.by_utterance = [[] for _ in range(utterances)]
    for word in spoken:
        result.words[word.utterance] += 1
    if not spoken:
        return result
    result.pieces = jiwer.process_words(
        " ".join(word.token for word in spoken), " ".join(word.token for word in shown)
    ).alignments[0]
    for piece in result.pieces:
        for step in range(max(piece.ref_end_idx - piece.ref_start_idx,
                              piece.hyp_end_idx - piece.hyp_start_idx)):  # fmt: skip
            inserted = piece.type == "insert"
            at = max(0, piece.ref_start_idx - 1) if inserted else piece.ref_start_idx + step
            utterance = spoken[at].utterance
            if piece.type != "delete":
                result.by_utterance[utterance].append(shown[piece.hyp_start_idx + step])
            if piece.type == "equal":
                result.matches[at] = shown[piece.hyp_start_idx + step]
            else:
                result.errors[utterance] += 1
    return result


def spoken_words(log: TrialLog, source: AudioSource) -> list[SpokenWord]:
    """The truth as the tokens that are compared, with the time at which each was over."""
    words = []
    for number, utterance in enumerate(log.truth(source)):
        if utterance.words is None:
            words += [SpokenWord(token, None, number) for token in tokens(utterance.text)]
        else:
            words += [
                SpokenWord(token, word.t1, number, (word.t0 + word.t1) / 2)
                for word in utterance.words
                for token in tokens(word.text)
            ]
    return words


def shown_words(segments: Sequence[tuple[float, ASRSegment]]) -> list[ShownWord]:
    """The words of the finals, with when each came up and settled in the partials before.

    A word is the same word as long as it has the same place in its segment. It has come up when
    it is first there, and settled when it is there to stay.
    """
    words: list[ShownWord] = []
    segment_id: int | None = None
    first_s: dict[tuple[int, str], float] = {}
    settled_s: dict[tuple[int, str], float] = {}
    for at_s, segment in segments:
        if segment.segment_id != segment_id:
            segment_id, first_s, settled_s = segment.segment_id, {}, {}
        places = list(enumerate(tokens(segment.text)))
        first_s = dict.fromkeys(places, at_s) | first_s
        settled_s = {place: settled_s.get(place, at_s) for place in places}
        if segment.is_final:
            words += [
                ShownWord(place[1], first_s[place], settled_s[place], at_s, said_s)
                for place, said_s in zip(places, said_at(segment), strict=True)
            ]
    return words


def said_at(segment: ASRSegment) -> list[float]:
    """The middle of each token of a segment, in seconds of audio, as its provider tells.

    Where it gives no times of words, they are spread evenly over the segment.

    >>> segment = ASRSegment(source=None, segment_id=0, revision=0, is_final=True,
    ...     text="open it", t0=1.0, t1=3.0)
    >>> said_at(segment)
    [1.5, 2.5]
    """
    timed = [(word.t0 + word.t1) / 2 for word in segment.words for _ in tokens(word.text)]
    count = len(tokens(segment.text))
    if len(timed) == count:
        return timed
    step_s = (segment.t1 - segment.t0) / max(1, count)
    return [segment.t0 + (at + 0.5) * step_s for at in range(count)]
