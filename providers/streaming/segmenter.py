"""Cuts a stream of samples into the windows that an engine decodes.

A segment begins shortly before speech and ends at a pause. While it grows, each push returns a
window with all of it so far (not final); after its end, one with the whole segment (final). The
longer a segment gets, the shorter the pause that ends it; at the engine's maximum length it is cut
where it is quietest. Silence between segments is counted but never decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioAccount
from providers.streaming.energy import FRAME, EnergyDetector, levels_db


@dataclass(frozen=True)
class Limits:
    """Durations that decide where segments begin and end; suitable values depend on the model."""

    pause_s: float = 0.5
    """Silence that ends a segment which has just begun."""
    short_pause_s: float = 0.2
    """Silence that ends a segment of half the maximum length; the required pause falls linearly."""
    longest_s: float = 15.0
    """Maximum length of a window."""
    lead_s: float = 0.3
    """Audio kept before speech begins; onsets are quieter than the detector's threshold."""
    tail_s: float = 0.2
    """Audio kept after speech ends."""
    onset_s: float = 0.08
    """Speech shorter than this, such as a click, begins no segment."""
    min_new_speech_s: float = 0.0
    """While speech continues, less new speech than this isn't worth a non-final window."""


@dataclass(frozen=True)
class Window:
    """Audio to decode; `begin` is the first sample's index since the stream's start."""

    segment_id: int
    begin: int
    samples: Samples
    is_final: bool
    has_new_speech: bool
    """Whether it has speech that the segment's previous window did not have."""
    new_samples: int
    """Number of samples that no earlier window had."""

    @property
    def end(self) -> int:
        """The index after the last sample."""
        return self.begin + len(self.samples)


class Segmenter:
    """See the module; keeps `account` correct at all times, with `settle` after each window.

    Args:
        limits: Where to cut.
        account: Counts the samples.
        in_order: Whether the engine keeps state, so that samples already returned can't move to the
            next segment. A forced cut is then made at the newest sample.
    """

    def __init__(self, limits: Limits, account: AudioAccount, *, in_order: bool = False) -> None:
        self.limits, self.account, self.in_order = limits, account, in_order
        self._detect = EnergyDetector()
        self._kept = np.zeros(0, np.float32)  # the samples from _origin on
        self._origin = 0
        self._judged = 0  # samples whose frames have been classified
        self._claimed = 0  # samples that were returned or skipped
        self._abandoned = 0  # samples before this one were abandoned
        self._onset = 0  # successive speech frames before a segment begins
        self._segment_id = 0
        self._begin: int | None = None  # of the open segment
        self._speech_end = 0
        self._handed_out = 0  # end of the last window

    def push(self, samples: Samples) -> list[Window]:
        """Take the next samples, and return the windows to decode now, in order."""
        self.account.received += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        windows = list(self._ended_segments())
        if self._begin is None:
            lead = self._frames(self.limits.lead_s) + self._onset
            self._skip_to(self._judged - lead * FRAME)
        elif self._has_new_speech(self._received) and self._has_enough():
            windows.append(self._window(self._received, is_final=False))
        return windows

    def flush(self) -> list[Window]:
        """End the open segment, if any, and return its window; accounts for everything received."""
        windows = []
        if self._begin is not None:
            windows.append(self._close(self._received))
        self._skip_to(self._received)
        self._judged = self._received
        return windows

    def settle(self, window: Window, *, decoded: bool) -> bool:
        """Account for a returned window: it was decoded, or didn't need to be.

        Returns:
            False if it was abandoned in the meantime, and counted as dropped.
        """
        if window.begin < self._abandoned:
            return False
        if decoded:
            self.account.decoded += window.new_samples
        else:
            self.account.skipped += window.new_samples
        return True

    def abandon(self) -> None:
        """Drop all unsettled audio, and account for it; the next push continues after it."""
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
        """Return where the open segment ends, if the frames classified so far end it."""
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
        """Return the middle of the quietest 100 ms in the second half of the open segment."""
        assert self._begin is not None
        half = (self._begin + self._judged) // 2
        levels = levels_db(self._kept[half - self._origin : self._judged - self._origin])
        smooth = np.convolve(levels, np.ones(5), "valid")
        return half + int(np.argmin(smooth)) * FRAME + 5 * FRAME // 2

    def _close(self, end: int) -> Window:
        window = self._window(end, is_final=True)
        continues = self._speech_end > end
        self._segment_id += 1
        self._begin = end if continues else None
        self._handed_out = end
        self._drop_to(end)
        return window

    def _has_new_speech(self, end: int) -> bool:
        tail = self._frames(self.limits.tail_s / 2) * FRAME
        # A forced cut may fall before words that the segment's partials already had.
        had_other_words = self._handed_out > end and self._speech_end > end
        return had_other_words or min(self._speech_end + tail, end) > self._handed_out

    def _has_enough(self) -> bool:
        """Whether the new speech is long enough to have a word, or has ended."""
        continues = self._judged - self._speech_end < self._frames(self.limits.tail_s / 2) * FRAME
        new_s = (self._speech_end - self._handed_out) / SAMPLE_RATE_HZ
        return not continues or new_s >= self.limits.min_new_speech_s

    def _window(self, end: int, *, is_final: bool) -> Window:
        assert self._begin is not None
        samples = self._kept[self._begin - self._origin : end - self._origin]
        new_samples = max(0, end - self._claimed)
        window = Window(
            self._segment_id, self._begin, samples, is_final, self._has_new_speech(end), new_samples
        )
        self._handed_out = end
        self._claimed += new_samples
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
