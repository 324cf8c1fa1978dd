"""The published way to stream with Whisper, in our words: what our own policy is compared with.

LocalAgreement-2 as in Macháček et al. 2023, "Turning Whisper into Real-Time Transcription System"
(arXiv 2307.14743): at each chunk the whole buffer is decoded anew; words on which two decodes in a
row agree are committed, and only those are shown. A buffer that has grown long is cut where a
segment ended before the last committed word. There is no detector of speech or silence.

Left out is the prompt, the text before the buffer: the embedded model was hardly trained with one,
and with it every second word comes out wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioSource, Word
from harness.provider.resident import Session
from providers.streaming.agreement import agreed
from providers.streaming.base import Stream
from providers.streaming.windowed import WindowedProvider

KNOWN_SLACK_S = 0.1
"""A word that begins so little before the last committed one's end may be a new one."""
REPEATS_WITHIN_S = 1.0
MAX_REPEAT = 5
"""Words; as many of the committed ones are looked for at the beginning of the new ones."""
SEGMENT_GAP_S = 0.2
"""Between words of different segments; inside one, they touch."""
HARD_CUT_S = 28.0
"""Where no segment ends in all that time, the buffer is cut behind the last committed word."""


@dataclass
class Agreement:
    """What is known of a stream: its buffer, the words committed, and those only supposed."""

    trim_above_s: float
    buffer: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    offset_s: float = 0.0
    """Where the buffer begins."""
    committed: list[Word] = field(default_factory=list)
    supposed: list[Word] = field(default_factory=list)

    @property
    def last_s(self) -> float:
        """Where the last committed word ended."""
        return self.committed[-1].t1 if self.committed else 0.0

    def hear(self, decoded: Sequence[Word]) -> list[Word]:
        """Commit what a new decode of the buffer agrees on with the one before, and return it."""
        shifted = [Word(word.text.strip(), word.t0 + self.offset_s, word.t1 + self.offset_s)
                   for word in decoded]  # fmt: skip
        new = [word for word in shifted if word.t0 > self.last_s - KNOWN_SLACK_S]
        new = new[self._repeated(new) :]
        count = agreed(texts(self.supposed), texts(new))
        self.committed += new[:count]
        self.supposed = new[count:]
        self._trim(shifted)
        return new[:count]

    def _repeated(self, new: list[Word]) -> int:
        """How many of the new words say the committed ones again."""
        if not new or not self.committed or abs(new[0].t0 - self.last_s) >= REPEATS_WITHIN_S:
            return 0
        known, found = texts(self.committed), texts(new)
        longest = min(len(known), len(found), MAX_REPEAT)
        counts = (count for count in range(1, longest + 1) if known[-count:] == found[:count])
        return next(counts, 0)

    def _trim(self, words: Sequence[Word]) -> None:
        length_s = len(self.buffer) / SAMPLE_RATE_HZ
        if length_s <= self.trim_above_s or not self.committed:
            return
        ends_s = [word.t1 for word, after in pairwise(words)
                  if after.t0 - word.t1 >= SEGMENT_GAP_S and word.t1 <= self.last_s]  # fmt: skip
        if ends_s or length_s > HARD_CUT_S:
            at_s = ends_s[-1] if ends_s else self.last_s
            self.buffer = self.buffer[round((at_s - self.offset_s) * SAMPLE_RATE_HZ) :]
            self.offset_s = at_s


class LocalAgreement(WindowedProvider):
    """To be put before a provider among the bases of a class; decodes as that provider does."""

    trim_above_s = 15.0
    """As published; less for a model that doesn't bear so much."""

    def make_stream(self, session: Session, source: AudioSource | None) -> Stream:
        return LocalAgreementStream(self, session, source)


class LocalAgreementStream(Stream):
    """Everything that it says is final."""

    def __init__(
        self, provider: LocalAgreement, session: Session, source: AudioSource | None
    ) -> None:
        super().__init__(session, source)
        self._provider = provider
        self._known = Agreement(provider.trim_above_s)
        self._said_count = 0

    async def feed(self, samples: Samples) -> None:
        known = self._known
        self.account.received += len(samples)
        known.buffer = np.concatenate([known.buffer, samples])
        decode = partial(self._provider.decode, known.buffer, is_final=True)
        window_s = len(known.buffer) / SAMPLE_RATE_HZ
        words = await self._provider.infer(self.session, self.source, window_s, decode)
        self.account.decoded += len(samples)
        self._say_finally(known.hear(words))

    async def flush(self) -> None:
        self._say_finally(self._known.supposed)
        self._known = Agreement(self._provider.trim_above_s)

    async def abandon(self) -> None:
        self._known = Agreement(self._provider.trim_above_s)

    def _say_finally(self, words: Sequence[Word]) -> None:
        if words:
            span_s = words[0].t0, words[-1].t1
            self.emit(self._said_count, " ".join(texts(words)), span_s, is_final=True)
            self._said_count += 1


def texts(words: Sequence[Word]) -> list[str]:
    return [word.text for word in words]
