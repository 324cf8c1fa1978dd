"""What the network should say about a window: token sequence, targets, and where to look.

Two shapes, as the engines decode: with time stamps, ``<start> words <end>`` for each utterance, or
``<|notimestamps|> words``. Words and regions are in seconds from the window's start, time stamps in
seconds from the start of the 30 s that the encoder sees, which is `offset_s` earlier.
"""

from dataclasses import dataclass, field
from itertools import groupby

from corpora.synthesis.utterances import RATE_HZ
from corpora.synthesis.vocabulary import WORDS
from models.training.disturbances import Random
from models.training.tokens import (
    GRID_COUNT,
    GRID_S,
    ROW_END_OF_TEXT,
    ROW_FIRST_TIMESTAMP,
    ROW_NO_SPEECH,
    ROW_NO_TIMESTAMPS,
    ROW_START_OF_PREVIOUS,
    ROW_START_OF_TRANSCRIPT,
)
from models.training.windows import Window, Word

MAX_FIRST_S = 1.0
"""Both engines forbid, unless told otherwise, a first time stamp later than this."""
_FALLBACK = 0.3  # the share of a later first time stamp's probability that goes to MAX_FIRST_S
_HINT = 0.06
_SILENCE_WEIGHT = 5.0
_EDGE_S = 0.06
_PAUSE_WEIGHT = 0.25
_TAIL_S = 0.5
_WITH_TIMESTAMPS = 0.65
_WITH_PROMPT = 0.1

Target = dict[int, float]
"""Row to probability mass. Empty: the engines force this token, so it is not trained."""

Region = list[tuple[float, float, float]]
"""Where to look, as (start_s, end_s, weight of each second). Empty: anywhere."""


@dataclass
class Labels:
    """A token sequence; the four lists run in parallel.

    Attributes:
        rows: The tokens fed to the decoder.
        targets: What should follow each of them.
        regions: Where the word head should look to find that.
        moments: Where the moment head should look: the same as `regions`, but narrow.
    """

    rows: list[int] = field(default_factory=lambda: [ROW_START_OF_TRANSCRIPT])
    targets: list[Target] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    moments: list[Region] = field(default_factory=list)

    def force(self, target: Target, row: int) -> None:
        """Append a token that does not depend on where one looks."""
        self.targets.append(target)
        self.regions.append([])
        self.moments.append([])
        self.rows.append(row)

    def stamp(self, target: Target, time_s: float) -> None:
        """Append a time stamp, the nearest to `time_s`."""
        self.targets.append(target)
        self.regions.append(_around(time_s))
        self.moments.append(_around(time_s))
        self.rows.append(max(target, key=lambda row: target[row]))

    def say(self, target: Target, row: int, region: Region) -> None:
        """Append a word that fills the first part of `region`."""
        self.targets.append(target)
        self.regions.append(region)
        self.moments.append(_around(region[0][0]))
        self.rows.append(row)

    def finish(self, region: Region) -> None:
        """End the text; `region` is what follows the last word."""
        self.targets.append({ROW_END_OF_TEXT: 1.0})
        self.regions.append(region)
        self.moments.append([])

    def precede(self, prompt: list[int]) -> None:
        """Put tokens in front, of which nothing is to be learnt."""
        self.rows[:0] = prompt
        self.targets[:0] = [{} for _ in prompt]
        self.regions[:0] = [[] for _ in prompt]
        self.moments[:0] = [[] for _ in prompt]


def timestamp(time_s: float) -> Target:
    """Split a time between the two nearest points of the grid.

    >>> {row - ROW_FIRST_TIMESTAMP: round(mass, 2) for row, mass in timestamp(0.11).items()}
    {2: 0.25, 3: 0.75}
    """
    exact = min(time_s / GRID_S, GRID_COUNT - 1)
    below = int(exact)
    share = exact - below
    target = {ROW_FIRST_TIMESTAMP + below: 1 - share}
    if share > 0:
        target[ROW_FIRST_TIMESTAMP + below + 1] = share
    return target


def _first_timestamp(time_s: float) -> Target:
    """The first time stamp, with a second choice for engines that forbid a late one."""
    if time_s <= MAX_FIRST_S:
        return timestamp(time_s)
    target = {row: mass * (1 - _FALLBACK) for row, mass in timestamp(time_s).items()}
    latest = ROW_FIRST_TIMESTAMP + round(MAX_FIRST_S / GRID_S)
    return {**target, latest: target.get(latest, 0.0) + _FALLBACK}


def _hinted(row: int, start_s: float) -> Target:
    """A word, and a small share for the time stamp of its start.

    whisper.cpp takes a word's time from the likeliest time stamp beside it (`token_timestamps`),
    provided that all time stamps together have 1 % of the probability.
    """
    hint = {stamp: mass * _HINT for stamp, mass in timestamp(start_s).items()}
    return {row: 1 - _HINT, **hint}


def _silence(*, has_fragment: bool) -> Target:
    """What to answer first when there is no whole word.

    whisper.cpp forbids both end-of-text and no-speech as the first token, so silence needs a
    second-best answer: <|0.00|>, and then the end. A fragment of a word is less surely silence.
    """
    no_speech = 0.4 if has_fragment else 0.85
    return {
        ROW_NO_SPEECH: no_speech * _SILENCE_WEIGHT,
        ROW_FIRST_TIMESTAMP: (1 - no_speech) * _SILENCE_WEIGHT,
    }


def _around(time_s: float) -> Region:
    return [(time_s - _EDGE_S, time_s + _EDGE_S, 1.0)]


def _place(word: Word) -> tuple[float, float]:
    return word.start / RATE_HZ, word.end / RATE_HZ


def _with_timestamps(labels: Labels, words: list[Word], offset_s: float) -> None:
    for number, group in groupby(words, key=lambda word: word.utterance):
        first, *others = group
        start_s, end_s = _place(first)
        opening = timestamp if number != words[0].utterance else _first_timestamp
        labels.stamp(opening(start_s + offset_s), start_s)
        # Right after a time stamp the engines forbid another: the first word gets no hint.
        labels.say({first.row: 1.0}, first.row, [(start_s, end_s, 1.0)])
        for word in others:
            start_s, end_s = _place(word)
            hinted = _hinted(word.row, start_s + offset_s)
            labels.say(hinted, word.row, [(start_s, end_s, 1.0)])
        labels.stamp(timestamp(end_s + offset_s), end_s)
    labels.finish([])


def _without_timestamps(labels: Labels, words: list[Word]) -> None:
    """Words alone. This is also the form in which faster-whisper aligns words to sound.

    It finds the path through the guided heads' weights that gives each word one stretch of time,
    the stretches touching. So the pause behind a word is made that word's, which keeps the start of
    the next one exact, and the end-of-text looks at what follows the last word.
    """
    for word, following in zip(words, [*words[1:], None], strict=True):
        start_s, end_s = _place(word)
        region = [(start_s, end_s, 1.0)]
        if following is not None and following.start > word.end:
            region.append((end_s, following.start / RATE_HZ, _PAUSE_WEIGHT))
        labels.say({word.row: 1.0}, word.row, region)
    end_s = _place(words[-1])[1]
    labels.finish([(end_s, end_s + _TAIL_S, 1.0)])


def _prompt(random: Random) -> list[int]:
    """Earlier text, as engines put it in front: any words, half of the time with time stamps."""
    words = [int(row) for row in random.integers(0, len(WORDS), int(random.integers(1, 25)))]
    if random.random() < 0.5:
        end = int(random.integers(0, GRID_COUNT))
        words = [ROW_FIRST_TIMESTAMP, *words, ROW_FIRST_TIMESTAMP + end]
    return [ROW_START_OF_PREVIOUS, *words]


def draw_labels(random: Random, window: Window, offset_s: float) -> Labels:
    """Label a window that lies `offset_s` after the start of what the encoder sees."""
    labels = Labels()
    timed = random.random() < _WITH_TIMESTAMPS
    opening = {} if window.words else _silence(has_fragment=window.has_fragment)
    if not timed:
        labels.force(opening, ROW_NO_TIMESTAMPS)
    elif not window.words:
        labels.force(opening, ROW_FIRST_TIMESTAMP)
    if not window.words:
        labels.finish([])
    elif timed:
        _with_timestamps(labels, window.words, offset_s)
    else:
        _without_timestamps(labels, window.words)
    if random.random() < _WITH_PROMPT:
        labels.precede(_prompt(random))
    return labels
