"""Matches recognised words with spoken ones in time, and tells when each was shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

from harness.contract import ASRSegment, AudioSource
from harness.metrics.time_alignment import Pair, align_in_time
from harness.metrics.triallog import TrialLog
from harness.text_normalizer import tokens

SLACK_S = 1.5
"""How far beside a segment, by the provider's times, a word may have been spoken that it has."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the truth; times are seconds since its source's start."""

    token: str
    start_s: float | None
    """None where the corpus has no word times, as are the next two."""
    middle_s: float | None
    end_s: float | None
    utterance: int
    near_s: float
    """About when it was spoken: its middle, or its share of the utterance."""
    span_s: tuple[float, float]
    """Between what it was spoken for sure: its own ends, or the utterance's."""


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word of a final, and the texts before that had it.

    Arrival times are seconds on the trial's clock; when it was said is in seconds of audio, as the
    provider tells.
    """

    token: str
    seen_s: tuple[float, ...]
    """When each text of the segment that has the word arrived, the final last."""
    settled_s: float
    """When the first of the texts arrived from which on all have it."""
    final_s: float
    said_s: float
    is_timed: bool
    """Whether the provider timed the word; else `said_s` is its share of the segment."""
    span_s: tuple[float, float]
    """Where its segment lies."""

    def is_near(self, spoken: SpokenWord) -> bool:
        """Tell whether its segment lies where a word was spoken, give or take `SLACK_S`."""
        begin_s, end_s = spoken.span_s
        return self.span_s[0] - SLACK_S <= end_s and begin_s <= self.span_s[1] + SLACK_S

    def first_s(self, spoken_from_s: float) -> float:
        """When it was first shown; what stood there before it was spoken was another word."""
        return next((at_s for at_s in self.seen_s if at_s >= spoken_from_s), self.final_s)


@dataclass
class Alignment:
    """The spoken words of a source, and for each the shown word that matches it, or None."""

    spoken: list[SpokenWord]
    shown: list[ShownWord]
    pairs: list[Pair]
    """Places in `spoken` and in `shown`, of every word of both."""
    matches: list[ShownWord | None]
    """By spoken word: the shown word that equals it, in its place and at its time."""
    answers: list[ShownWord | None]
    """By spoken word: the shown word in its place and at its time, right or wrong."""
    errors: list[int] = field(default_factory=list)
    """Substitutions, deletions and insertions, by utterance."""
    words: list[int] = field(default_factory=list)
    """Spoken words, by utterance."""
    by_utterance: list[list[ShownWord]] = field(default_factory=list)
    """Shown words, right or wrong, by utterance."""


def align(log: TrialLog, source: AudioSource) -> Alignment:
    """Align a source's finals with its truth: fewest word errors first, then least time between.

    An inserted word counts for the utterance of the spoken word before it.
    """
    return log.once(("alignment", source), lambda: _align(log, source))


def _align(log: TrialLog, source: AudioSource) -> Alignment:
    spoken = spoken_words(log, source)
    shown = shown_words(log.segments(source))
    utterances = len(log.truth(source))
    pairs = align_in_time(
        [word.token for word in spoken], [word.near_s for word in spoken],
        [word.token for word in shown], [word.said_s for word in shown],
    )  # fmt: skip
    nothing: list[ShownWord | None] = [None] * len(spoken)
    result = Alignment(spoken, shown, pairs, nothing, list(nothing))
    result.errors, result.words = [0] * utterances, [0] * utterances
    result.by_utterance = [[] for _ in range(utterances)]
    utterance = 0
    for pair in pairs:
        here = shown[pair.shown] if pair.shown is not None else None
        if pair.spoken is not None:
            utterance = spoken[pair.spoken].utterance
            result.words[utterance] += 1
            if here is not None and here.is_near(spoken[pair.spoken]):
                result.answers[pair.spoken] = here
                if here.token == spoken[pair.spoken].token:
                    result.matches[pair.spoken] = here
        if utterances:
            result.errors[utterance] += not _is_right(pair, spoken, shown)
            result.by_utterance[utterance] += [here] if here is not None else []
    return result


def _is_right(pair: Pair, spoken: list[SpokenWord], shown: list[ShownWord]) -> bool:
    if pair.spoken is None or pair.shown is None:
        return False
    return spoken[pair.spoken].token == shown[pair.shown].token


def spoken_words(log: TrialLog, source: AudioSource) -> list[SpokenWord]:
    """The truth as the tokens that are compared, with the time of each."""
    words = []
    for number, utterance in enumerate(log.truth(source)):
        if utterance.words is None:
            told = tokens(utterance.text)
            spread_s = spread(len(told), utterance.t0, utterance.t1)
            span_s = (utterance.t0, utterance.t1)
            words += [SpokenWord(token, None, None, None, number, near_s, span_s)
                      for token, near_s in zip(told, spread_s, strict=True)]  # fmt: skip
        else:
            for word in utterance.words:
                middle_s = (word.t0 + word.t1) / 2
                span_s = (word.t0, word.t1)
                words += [SpokenWord(token, word.t0, middle_s, word.t1, number, middle_s, span_s)
                          for token in tokens(word.text)]  # fmt: skip
    return words


def spread(count: int, begin_s: float, end_s: float) -> list[float]:
    """The middles of so many words of one length.

    >>> spread(2, 1.0, 3.0)
    [1.5, 2.5]
    """
    step_s = (end_s - begin_s) / max(1, count)
    return [begin_s + (at + 0.5) * step_s for at in range(count)]


def shown_words(segments: Sequence[tuple[float, ASRSegment]]) -> list[ShownWord]:
    """The words of the finals, each with the texts of its segment that have it.

    A partial's words are matched with the final's by edit distance, so that a word put in front of
    others doesn't make them new.
    """
    words: list[ShownWord] = []
    segment_id: int | None = None
    partials: list[tuple[float, list[str]]] = []
    for at_s, segment in segments:
        if segment.segment_id != segment_id:
            segment_id, partials = segment.segment_id, []
        text = tokens(segment.text)
        if segment.is_final:
            words += _words_of(segment, text, at_s, partials)
        else:
            partials.append((at_s, text))
    return words


def _words_of(
    final: ASRSegment, text: list[str], at_s: float, partials: list[tuple[float, list[str]]]
) -> Iterator[ShownWord]:
    seen_s: list[list[float]] = [[] for _ in text]
    settled_s = [at_s] * len(text)
    last = [-1] * len(text)
    for number, (partial_s, partial) in enumerate(partials):
        for at in _places_kept(partial, text):
            if not seen_s[at] or last[at] != number - 1:
                settled_s[at] = partial_s
            last[at] = number
            seen_s[at].append(partial_s)
    timed = [(word.t0 + word.t1) / 2 for word in final.words for _ in tokens(word.text)]
    is_timed = len(timed) == len(text)
    said_s = timed if is_timed else spread(len(text), final.t0, final.t1)
    for at, token in enumerate(text):
        goes_on = last[at] == len(partials) - 1 and seen_s[at]
        yield ShownWord(token, (*seen_s[at], at_s), settled_s[at] if goes_on else at_s, at_s,
                        said_s[at], is_timed, (final.t0, final.t1))  # fmt: skip


def _places_kept(partial: list[str], final: list[str]) -> Iterator[int]:
    """The places of the final's words that a partial has too.

    >>> list(_places_kept(["the", "door"], ["open", "the", "door"]))
    [1, 2]
    """
    for block in Levenshtein.opcodes(partial, final):
        if block.tag == "equal":
            yield from range(block.dest_start, block.dest_end)
