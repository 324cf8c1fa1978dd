"""Cuts a stream of samples into the windows that an engine is to decode.

A segment begins a little before speech does and ends at a pause. While it grows, each push hands
out a window with all of it so far (not final); when it has ended, one with the whole of it
(final). The longer a segment gets, the shorter a pause ends it, and at the longest the engine can
take it is cut where it is quietest. Silence between segments is never decoded, only counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioAccount
from providers.streaming.energy import FRAME, EnergyDetector, levels_db


@dataclass(frozen=True)
class Limits:
    """Seconds that decide where segments begin and end; what suits depends on the model."""

    pause_s: float = 0.5
    """Silence that ends a segment which has just begun."""
    short_pause_s: float = 0.2
    """Silence that ends one which is half as long as it may get; until then it takes ever less."""
    longest_s: float = 15.0
    """No window is longer."""
    lead_s: float = 0.3
    """Audio kept before speech begins; onsets are quieter than the detector can hear."""
    tail_s: float = 0.2
    """Audio kept after speech ends."""
    onset_s: float = 0.08
    """Speech shorter than this, such as a click, begins no segment."""
    news_s: float = 0.0
    """While speech goes on, less of it than this is not worth a window that isn't final."""


@dataclass(frozen=True)
class Window:
    """Audio to decode: `samples` are those from `begin` on, in samples since the stream's start."""

    segment_id: int
    begin: int
    samples: Samples
    is_final: bool
    has_news: bool
    """Whether there is speech in it that the segment's window before did not hold."""
    fresh: int
    """Samples that no earlier window held."""

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.begin + len(self.samples)


class Segmenter:
    """See the module; keeps `account` right at every moment, with `settle` after each window.

    Args:
        limits: Where to cut.
        account: Where the samples are counted.
        in_order: Whether the engine keeps what it has heard, so that nothing which was handed out
            can be left to the next segment. A forced cut is then made where the audio is.
    """

    def __init__(self, limits: Limits, account: AudioAccount, *, in_order: bool = False) -> None:
        self.limits, self.account, self.in_order = limits, account, in_order
        self._detect = EnergyDetector()
        self._kept = np.zeros(0, np.float32)  # the samples from _origin on
        self._origin = 0
        self._judged = 0  # samples whose frames have been judged
        self._claimed = 0  # samples that were handed out or skipped
        self._abandoned = 0  # samples that nobody waits for any more
        self._onset = 0  # speech frames in a row, before a segment begins
        self._segment_id = 0
        self._begin: int | None = None  # of the open segment
        self._speech_end = 0
        self._handed_out = 0  # end of the last window

    def push(self, samples: Samples) -> list[Window]:
        """Take the next samples, and return what there is to decode now, in order."""
        self.account.received += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        windows = list(self._ended_segments())
        if self._begin is None:
            lead = self._frames(self.limits.lead_s) + self._onset
            self._skip_to(self._judged - lead * FRAME)
        elif self._has_news(self._received) and self._has_enough():
            windows.append(self._window(self._received, is_final=False))
        return windows

    def flush(self) -> list[Window]:
        """End the open segment, if any, and account for everything received."""
        windows = []
        if self._begin is not None:
            windows.append(self._close(self._received))
        self._skip_to(self._received)
        self._judged = self._received
        return windows

    def settle(self, window: Window, *, decoded: bool) -> bool:
        """Account for a window that was handed out: it was decoded, or didn't need to be.

        Returns:
            False if it was abandoned in the meantime, and counted as that.
        """
        if window.begin < self._abandoned:
            return False
        if decoded:
            self.account.decoded += window.fresh
        else:
            self.account.skipped += window.fresh
        return True

    def abandon(self) -> None:
        """Give up whatever waits or isn't settled, and account for it; the next push goes on."""
        self.account.dropped += self.account.pending
        self._abandoned = self._judged = self._claimed = self._received
        self._segment_id += self._begin is not None
        self._begin = None
        self._drop_to(self._received)

    @property
    def _received(self) -> int:
        return self._origin + len(self._kept)

    @staticmethod
    def _frames(seconds: float) -> int:
        return round(seconds * SAMPLE_RATE_HZ / FRAME)

    def _ended_segments(self) -> Iterator[Window]:
        levels = levels_db(self._kept[self._judged - self._origin :])
        for is_speech in self._detect(levels):
            self._judged += FRAME
            if self._begin is None:
                self._onset = self._onset + 1 if is_speech else 0
                if self._onset >= self._frames(self.limits.onset_s):
                    self._open(self._judged - self._onset * FRAME)
            elif is_speech:
                self._speech_end = self._judged
            if self._begin is not None and (end := self._end()) is not None:
                yield self._close(end)

    def _open(self, speech_begin: int) -> None:
        lead = self._frames(self.limits.lead_s) * FRAME
        self._skip_to(speech_begin - lead)
        self._begin = self._origin
        self._speech_end = self._judged
        self._handed_out = speech_begin
        self._onset = 0

    def _end(self) -> int | None:
        """Where the open segment ends, if what has been judged ends it."""
        assert self._begin is not None
        length_s = (self._judged - self._begin) / SAMPLE_RATE_HZ
        silence_s = (self._judged - self._speech_end) / SAMPLE_RATE_HZ
        limits = self.limits
        grown = min(1.0, length_s / (limits.longest_s / 2))
        pause_s = limits.pause_s + grown * (limits.short_pause_s - limits.pause_s)
        with_tail = self._speech_end + self._frames(min(limits.tail_s, silence_s)) * FRAME
        if silence_s >= pause_s:
            return max(with_tail, self._handed_out) if self.in_order else with_tail
        if length_s < limits.longest_s:
            return None
        if self.in_order:
            return self._judged
        cut = self._quietest()
        return cut if cut < self._speech_end else with_tail

    def _quietest(self) -> int:
        """The middle of the quietest 100 ms in the second half of the open segment."""
        assert self._begin is not None
        half = (self._begin + self._judged) // 2
        levels = levels_db(self._kept[half - self._origin : self._judged - self._origin])
        smooth = np.convolve(levels, np.ones(5), "valid")
        return half + int(np.argmin(smooth)) * FRAME + 5 * FRAME // 2

    def _close(self, end: int) -> Window:
        window = self._window(end, is_final=True)
        goes_on = self._speech_end > end
        self._segment_id += 1
        self._begin = end if goes_on else None
        self._handed_out = end
        self._drop_to(end)
        return window

    def _has_news(self, end: int) -> bool:
        tail = self._frames(self.limits.tail_s / 2) * FRAME
        # A forced cut may fall before words that the segment has shown already.
        held_other_words = self._handed_out > end and self._speech_end > end
        return held_other_words or min(self._speech_end + tail, end) > self._handed_out

    def _has_enough(self) -> bool:
        """Whether the speech that no window held is likely to hold a word, as far as it goes."""
        goes_on = self._judged - self._speech_end < self._frames(self.limits.tail_s / 2) * FRAME
        new_s = (self._speech_end - self._handed_out) / SAMPLE_RATE_HZ
        return not goes_on or new_s >= self.limits.news_s

    def _window(self, end: int, *, is_final: bool) -> Window:
        assert self._begin is not None
        samples = self._kept[self._begin - self._origin : end - self._origin]
        fresh = max(0, end - self._claimed)
        window = Window(
            self._segment_id, self._begin, samples, is_final, self._has_news(end), fresh
        )
        self._handed_out = end
        self._claimed += fresh
        return window

    def _skip_to(self, end: int) -> None:
        if end > self._claimed:
            self.account.skipped += end - self._claimed
            self._claimed = end
        self._drop_to(end)

    def _drop_to(self, origin: int) -> None:
        if origin > self._origin:
            self._kept = self._kept[origin - self._origin :]
            self._origin = origin
