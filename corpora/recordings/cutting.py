"""Cuts recordings of minutes and hours at pauses, into utterances that a trial can play.

No word is lost or guessed: a cut is made only where it is known which words come before it, so a
recording with words but without their times is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corpora.recordings.recording import Recording
from corpora.recordings.word_times import is_unspaced
from harness.contract import Word
from harness.errors import DataFileError
from harness.text_normalizer import tokens

LONGEST_S = 60.0
"""A longer recording is cut."""
AIM_S = 30.0
"""A piece that isn't longer stays whole."""
SHORTEST_PAUSE_S = 0.3
"""Between two words of one piece and the next."""
SHORTEST_PIECE_S = 2.0
"""Where there is a choice."""
PAUSE_DB = 25.0
"""By how much a pause in the samples is quieter than the loudest second."""
ONSET_S = 0.05
"""By how much a word may begin before it is heard."""
MARGIN_S = 1.0
"""How much of what is silent stays before and after the words of a piece."""
ADVICE = (
    "`words` with times, or a CTM or TextGrid file beside it, so that it can be cut at pauses; or"
    " one line per utterance, with `offset` and `duration`"
)
ADVICE_WITHOUT_PAUSE = "one line per utterance, with `offset` and `duration`"

Times = NDArray[np.float64]


def cut(recording: Recording) -> list[Recording]:
    """Cut a recording that is too long to be one utterance.

    Returns:
        Pieces of at most a minute in order; the recording itself if it isn't longer.

    Raises:
        DataFileError: It can't be cut without guessing.
        AudioError: Its audio has to be searched for pauses, and can't be read.
    """
    if recording.duration_s <= LONGEST_S:
        return [recording]
    if not tokens(recording.text):
        return list(_even_pieces(recording))
    if recording.words is None:
        problem = f"{recording.duration_s:.0f} s without word times; at most {LONGEST_S:.0f} s"
        raise DataFileError("", problem, ADVICE)
    words = recording.words
    ends_s = np.array([word.t1 for word in words])
    parts = _split(words, ends_s)
    if any(_length_s(words[part]) > LONGEST_S for part in parts):
        # Many aligners let a word last until the next one begins; the samples show the pauses.
        ends_s = _audible_ends_s(recording)
        parts = _split(words, ends_s)
    for part in parts:
        if _length_s(words[part]) > LONGEST_S:
            at_s, length_s = recording.offset_s + words[part][0].t0, _length_s(words[part])
            problem = (
                f"no pause of {SHORTEST_PAUSE_S:g} s between the words of {length_s:.0f} s from"
                f" {at_s:.1f} s on; at most {LONGEST_S:.0f} s"
            )
            raise DataFileError("", problem, ADVICE_WITHOUT_PAUSE)
    return list(_pieces(recording, parts, ends_s))


def _even_pieces(recording: Recording) -> Iterator[Recording]:
    """Pieces of a recording in which nothing is said."""
    count = int(np.ceil(recording.duration_s / AIM_S))
    length_s = recording.duration_s / count
    words = None if recording.words is None else ()
    for number in range(count):
        at_s = recording.offset_s + number * length_s
        yield replace(recording, offset_s=at_s, duration_s=length_s, words=words)


def _length_s(words: Sequence[Word]) -> float:
    return max(word.t1 for word in words) - words[0].t0


def _split(words: Sequence[Word], ends_s: Times) -> list[slice]:
    """Split at the widest pause, and so on, until each part is short or has no pause."""
    starts_s = np.array([word.t0 for word in words])
    ends_s = np.maximum.accumulate(ends_s)  # speakers may talk at once
    pauses_s = starts_s[1:] - ends_s[:-1]
    waiting, parts = [(0, len(words))], []
    while waiting:
        first, last = waiting.pop()
        inside_s = pauses_s[first : last - 1]
        cuts = np.flatnonzero(inside_s >= SHORTEST_PAUSE_S) + first + 1
        if ends_s[last - 1] - starts_s[first] <= AIM_S or not len(cuts):
            parts.append(slice(first, last))
            continue
        is_long = (ends_s[cuts - 1] - starts_s[first] >= SHORTEST_PIECE_S) & (
            ends_s[last - 1] - starts_s[cuts] >= SHORTEST_PIECE_S
        )
        choice = cuts[is_long] if is_long.any() else cuts
        at = int(choice[np.argmax(pauses_s[choice - 1])])
        waiting += [(at, last), (first, at)]
    return parts


def _pieces(
    recording: Recording, parts: Sequence[slice], word_ends_s: Times
) -> Iterator[Recording]:
    words = recording.words or ()
    ends_s = [float(word_ends_s[part].max()) for part in parts]
    between = "" if is_unspaced(recording.text) else " "
    for number, part in enumerate(parts):
        said = words[part]
        before_s = 0.0 if number == 0 else (ends_s[number - 1] + said[0].t0) / 2
        is_last = number == len(parts) - 1
        after_s = (recording.duration_s if is_last
                   else (ends_s[number] + words[part.stop].t0) / 2)  # fmt: skip
        begin_s = max(before_s, said[0].t0 - MARGIN_S)
        end_s = min(after_s, ends_s[number] + MARGIN_S)
        yield replace(
            recording,
            offset_s=recording.offset_s + begin_s,
            duration_s=end_s - begin_s,
            text=between.join(word.text for word in said),
            words=tuple(
                Word(word.text, word.t0 - begin_s, min(word.t1, end_s) - begin_s) for word in said
            ),
        )


def _audible_ends_s(recording: Recording) -> Times:
    """Where words end if those that last into a silence end where it begins."""
    words = recording.words or ()
    ends_s = np.array([word.t1 for word in words])
    starts_s = np.array([word.t0 for word in words])
    signal = recording.signal()
    for begin_s, end_s in signal.silences(PAUSE_DB, SHORTEST_PAUSE_S):
        at = int(np.searchsorted(starts_s, begin_s)) - 1
        if at >= 0 and (at + 1 == len(words) or starts_s[at + 1] >= end_s - ONSET_S):
            ends_s[at] = min(ends_s[at], begin_s)
    return ends_s
