"""Measures a session's load: the real-time factor of its last seconds, from its events."""

import threading
from collections import deque
from dataclasses import dataclass, field

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import AudioSource
from harness.journal.events import ChunkDone, ChunkTaken, Event, Inferred, Queued

WINDOW_S = 5.0
"""Chunks that ended longer ago don't count, except each source's last one …"""
STALE_S = 30.0
"""… which counts for so long."""


@dataclass
class _Source:
    """The chunks of one source and their cost."""

    audio_s: dict[int, float] = field(default_factory=dict)
    """Length by chunk, of those that are queued or in hand."""
    in_hand: int | None = None
    begun_s: float = 0.0
    spent_s: float = 0.0
    """Inference time since that chunk was taken."""
    done: deque[tuple[float, float, float]] = field(default_factory=deque)
    """Chunks that are done: end time, length and inference time."""


class LoadMeter:
    """Adds up the load that a session's sources put on their engine.

    Each source brings one second of audio per second, so their factors add up: two of 0.6 each
    overload one engine. Waiting for one another doesn't count.
    """

    def __init__(self) -> None:
        self._sources: dict[AudioSource, _Source] = {}
        self._since_s = float("-inf")
        self._lock = threading.Lock()

    def note(self, event: Event) -> None:
        """Take an event of the session into account; from any thread."""
        with self._lock:
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Queued(source=source, chunk=chunk, samples=samples):
                self._of(source).audio_s[chunk] = samples / SAMPLE_RATE_HZ
            case ChunkTaken(source=source, chunk=chunk, at_s=at_s):
                state = self._of(source)
                state.in_hand, state.begun_s, state.spent_s = chunk, at_s, 0.0
                for earlier in [number for number in state.audio_s if number < chunk]:
                    del state.audio_s[earlier]  # done or dropped
            case ChunkDone(source=source, chunk=chunk, at_s=at_s):
                state = self._of(source)
                if state.begun_s >= self._since_s:
                    state.done.append((at_s, state.audio_s[chunk], state.spent_s))
                state.in_hand = None
            case Inferred(source=AudioSource() as source, begin_s=begin_s, end_s=end_s):
                if begin_s >= self._since_s:
                    self._of(source).spent_s += end_s - begin_s

    def restart(self, at_s: float) -> None:
        """Forget earlier chunks, whose cost says nothing after a change."""
        with self._lock:
            self._since_s = at_s
            for state in self._sources.values():
                state.done.clear()

    def rtf(self, at_s: float) -> float | None:
        """Inference seconds per audio second, summed over the sources; None before the first chunk.

        A chunk in hand counts as soon as it makes the factor larger.
        """
        with self._lock:
            factors = [factor for source in self._sources
                       if (factor := self._rtf_of(source, at_s)) is not None]  # fmt: skip
        return sum(factors) if factors else None

    def _rtf_of(self, source: AudioSource, at_s: float) -> float | None:
        state = self._sources[source]
        while len(state.done) > 1 and state.done[0][0] < at_s - WINDOW_S:
            state.done.popleft()
        if len(state.done) == 1 and state.done[0][0] < at_s - STALE_S:
            state.done.clear()
        audio_s = sum(chunk[1] for chunk in state.done)
        spent_s = sum(chunk[2] for chunk in state.done)
        factor = spent_s / audio_s if audio_s else None
        if state.in_hand is None or state.begun_s < self._since_s or not self._has_engine(source):
            return factor
        with_it = (spent_s + at_s - state.begun_s) / (audio_s + state.audio_s[state.in_hand])
        return with_it if factor is None or with_it > factor else factor

    def _has_engine(self, source: AudioSource) -> bool:
        """Whether the engine is likely decoding this source's chunk: the one taken first."""
        begun_s = {name: state.begun_s for name, state in self._sources.items()
                   if state.in_hand is not None}  # fmt: skip
        return min(begun_s, key=begun_s.__getitem__) is source

    def _of(self, source: AudioSource) -> _Source:
        return self._sources.setdefault(source, _Source())
