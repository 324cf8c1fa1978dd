"""Shows a line of progress per trial: rewritten on a terminal, printed every 30 s elsewhere."""

import time
from typing import Protocol

from rich.cells import cell_len, set_cell_size

from harness.journal.events import (
    Dropped,
    Event,
    Inferred,
    Queued,
    ResidencyChunk,
    Sampled,
    Skipped,
    TrialEnded,
)
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.support.durations import clock_time
from harness.support.sanitize import sanitize

REDRAW_S = 0.1
PLAIN_S = 30.0


class Screen(Protocol):
    """Output for the lines, such as pytest's terminal writer."""

    @property
    def fullwidth(self) -> int:
        """Columns."""

    def write(self, msg: str, *, flush: bool = False) -> None:
        """Write text."""


class TrialLine:
    """Shows the progress of the running trial.

    Args:
        screen: Where to write.
        live: Whether a line can be rewritten, as on a terminal.
    """

    def __init__(self, screen: Screen, *, live: bool) -> None:
        self._screen, self._live = screen, live

    def trial_begins(self, spec: TrialSpec, number: int, of: int) -> None:
        """See `harness.runner.run.Progress`."""
        self._title = f"[{number}/{of}] {spec.name}"
        self._activity = spec.activity
        self._duration_s = spec.scenario.duration_s * len(spec.scenario.sources)
        self._begun_s = self._drawn_s = time.monotonic()
        self._audio_s = self._busy_s = 0.0
        self._depth = self._dropped = self._chunks = 0
        self._show("loading", end="\r" if self._live else "\n")

    def event(self, event: Event) -> None:
        """See `harness.runner.run.Progress`."""
        match event:
            case Queued(samples=samples, depth=depth):
                self._audio_s += samples / 16_000
                self._depth = depth - 1  # the provider takes the first one at once
            case Skipped(samples=samples):
                self._audio_s += samples / 16_000
            case ResidencyChunk():
                self._chunks += 1
            case Inferred(begin_s=begin_s, end_s=end_s):
                self._busy_s += end_s - begin_s
            case Dropped():
                self._dropped += 1
            case Sampled():
                self._redraw()

    def trial_ends(self, ended: TrialEnded) -> None:
        """See `harness.runner.run.Progress`."""
        if ended.status is not TrialStatus.OK:
            problem = sanitize(ended.reason.partition("\n")[0])
            self._show(f"{ended.status}: {problem}", end="\n", whole=True)
        elif self._activity is Activity.CONFORMANCE:
            self._show(f"rules tried in {ended.wall_s:.0f} s", end="\n")
        elif self._activity is Activity.RESIDENCY:
            self._show(f"{self._chunks} short streams in {ended.wall_s:.0f} s", end="\n")
        else:
            took = f"{clock_time(self._audio_s)} of audio in {ended.wall_s:.0f} s"
            self._show(f"{took}{self._figures()}", end="\n")

    def _redraw(self) -> None:
        now_s = time.monotonic()
        if now_s - self._drawn_s < (REDRAW_S if self._live else PLAIN_S):
            return
        self._drawn_s = now_s
        done = min(1.0, self._audio_s / self._duration_s)
        left = (now_s - self._begun_s) * (1 - done) / done if done else 0.0
        state = f"{clock_time(self._audio_s)}/{clock_time(self._duration_s)}{self._figures()}"
        eta = f"  eta {clock_time(left)}" if done else ""
        self._show(state + eta, end="\r" if self._live else "\n")

    def _figures(self) -> str:
        rtf = f"  rtf {self._busy_s / self._audio_s:.3f}" if self._audio_s else ""
        dropped = f"  dropped {self._dropped}" if self._dropped else ""
        return f"{rtf}  queue {self._depth}{dropped}"

    def _show(self, state: str, end: str, *, whole: bool = False) -> None:
        width = self._screen.fullwidth - 1
        line = f"{self._title}  {state}"
        if cell_len(line) > width and not whole:
            title = set_cell_size(self._title, max(0, width - cell_len(state) - 3))
            line = f"{title}…  {state}"
        start = "\r\x1b[K" if self._live else ""
        self._screen.write(f"{start}{line}{'' if end == chr(13) else end}", flush=True)
