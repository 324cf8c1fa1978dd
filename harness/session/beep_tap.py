"""Finds a trial's marker beeps in the audio that the provider takes."""

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import AudioSource
from harness.journal.events import BeepFound, Event, SessionEnded
from harness.session.chunking import Chunk
from harness.timeline.beep import BEEP_S, SEARCH_S, locate
from harness.timeline.timeline import Track

REACH = round((SEARCH_S + BEEP_S) * SAMPLE_RATE_HZ)
"""Samples before and after a beep's expected first sample that are searched."""


class BeepFinder:
    """Finds the beeps of one source.

    Args:
        expected: The first sample of each beep where nothing is lost or moved, in order.
    """

    def __init__(self, expected: Sequence[int]) -> None:
        self.found: list[int | None] = []
        """By beep: the first sample found; None where it is missing."""
        self._expected = deque(expected)
        self._recent: list[Chunk] = []  # only those in reach of the next beep

    def take(self, chunk: Chunk) -> None:
        """Take the next chunk; dropped or filtered-out audio between chunks counts as silence."""
        if self._expected:
            self._recent.append(chunk)
            self._search(chunk.end_sample - REACH)

    def finish(self) -> None:
        """Search for the beeps still expected; no chunk follows."""
        if self._expected:
            self._search(self._expected[-1])

    def _search(self, until: int) -> None:
        while self._expected and self._expected[0] <= until:
            expected = self._expected.popleft()
            begin = max(0, expected - REACH)
            audio = np.zeros(expected + REACH - begin, np.int16)
            for chunk in self._recent:
                first = max(chunk.first_sample, begin)
                end = min(chunk.end_sample, begin + len(audio))
                if first < end:
                    piece = chunk.pcm[first - chunk.first_sample : end - chunk.first_sample]
                    audio[first - begin : end - begin] = piece
            found = locate(audio, expected - begin)
            self.found.append(None if found is None else begin + found)
        oldest = self._expected[0] - REACH if self._expected else until
        self._recent = [chunk for chunk in self._recent if chunk.end_sample > oldest]


class BeepTap:
    """Passes on a session's events, and emits where the beeps were before the last of them.

    Args:
        tracks: What the sources play, with the ground truth.
        emit: Takes the events, from any thread.
    """

    def __init__(self, tracks: Sequence[Track], emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._finders = {
            track.source: BeepFinder(
                [u.beep_sample for u in track.truth if u.beep_sample is not None]
            )
            for track in tracks
        }

    def take(self, source: AudioSource, chunk: Chunk) -> None:
        """Take a chunk that the provider has taken (`harness.session.chunk_queue.Tap`)."""
        self._finders[source].take(chunk)

    def emit(self, event: Event) -> None:
        """Emit an event of the session."""
        if isinstance(event, SessionEnded):
            self._emit_beeps()
        self._emit(event)

    def _emit_beeps(self) -> None:
        for source, finder in self._finders.items():
            finder.finish()
            for number, sample in enumerate(finder.found):
                self._emit(BeepFound(source=source, utterance=number, sample=sample))
