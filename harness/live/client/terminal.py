"""Live captions in the terminal: finals scroll by, below them what each source says right now."""

import shutil
import textwrap
from typing import TextIO

from harness.contract import AudioSource
from harness.live.protocol.messages import (
    Ended,
    Failed,
    Final,
    FromServer,
    Metrics,
    Partial,
    Pressure,
    Ready,
    Status,
    Warned,
)
from harness.support.durations import clock_time
from harness.support.sanitize import sanitize

LABEL = 8
CLEAR_LINE, UP = "\r\x1b[K", "\x1b[A"
COLOURS = {AudioSource.MIC: "\x1b[36m", AudioSource.SYSTEM: "\x1b[33m"}
DIM, BOLD, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"


class Captions:
    """Shows what a live server says.

    Args:
        screen: Where to write.
        live: Whether lines can be rewritten; else only finals and news are printed.
    """

    def __init__(self, screen: TextIO, *, live: bool) -> None:
        self._screen, self._live = screen, live
        self._open: dict[AudioSource, str] = {}
        self._figures = ""
        self._drawn = 0  # lines below the finals

    def show(self, message: FromServer) -> None:
        """Take a message into account."""
        match message:
            case Ready():
                names = ", ".join(message.sources)
                what = f"{message.provider} {message.model.rpartition('/')[2]}"
                self._news(f"{message.session}: {names} on {what}")
                self._open = dict.fromkeys(message.sources, "")
            case Partial(source=source, text=text):
                self._open[source] = text
                self._draw()
            case Final(source=source, text=text, t0=t0):
                self._open[source] = ""
                if text.strip():
                    self._print(f"{clock_time(t0):>6} ", source, text)
            case Metrics():
                self._figures = figures(message)
                self._draw()
            case Status():
                actions = "; ".join(message.actions)
                self._news(f"{message.level}: {message.message} ({message.cause}; {actions})")
            case Pressure(source=source, level=level, reason=reason):
                self._news(f"{source}: queue {level:.0%} full, {reason}")
            case Warned(message=words):
                self._news(words)
            case Failed(message=words):
                self._news(f"error: {words}")
            case Ended(finals=finals):
                self._news(f"ended, {finals} finals")

    def close(self) -> None:
        """Leave the terminal as it should be."""
        self._erase()
        self._screen.flush()

    def _print(self, time: str, source: AudioSource, text: str) -> None:
        self._erase()
        label = f"{source:<{LABEL}}"
        body = textwrap.wrap(sanitize(text), max(20, self._width() - len(time) - LABEL)) or [""]
        for number, line in enumerate(body):
            head = f"{time}{label}" if not number else " " * (len(time) + LABEL)
            self._screen.write(f"{self._colour(source)}{head}{self._plain()}{line}\n")
        self._draw()

    def _news(self, words: str) -> None:
        self._erase()
        for line in textwrap.wrap(sanitize(words), self._width(), initial_indent="-- ",
                                  subsequent_indent="   "):  # fmt: skip
            self._screen.write(f"{self._plain(BOLD)}{line}{self._plain()}\n")
        self._draw()

    def _draw(self) -> None:
        """Draw what may change: a line a source, and one of figures."""
        if not self._live:
            self._screen.flush()
            return
        self._erase()
        lines = []
        for source, text in self._open.items():
            room = self._width() - LABEL - 8
            shown = sanitize(text)
            shown = f"…{shown[1 - room :]}" if len(shown) > room else shown
            lines.append(f"{COLOURS[source]}{'':>7}{source:<{LABEL}}{DIM}{shown}{PLAIN}")
        lines.append(f"{DIM}{self._figures[: self._width()]}{PLAIN}")
        self._screen.write("\n".join(lines))
        self._screen.flush()
        self._drawn = len(lines)

    def _erase(self) -> None:
        if self._drawn:
            self._screen.write(CLEAR_LINE + (UP + CLEAR_LINE) * (self._drawn - 1))
            self._drawn = 0

    def _colour(self, source: AudioSource) -> str:
        return COLOURS[source] if self._live else ""

    def _plain(self, code: str = PLAIN) -> str:
        return code if self._live else ""

    def _width(self) -> int:
        return shutil.get_terminal_size().columns - 1


def figures(metrics: Metrics) -> str:
    """A line of figures.

    >>> from harness.contract import ASRHealth
    >>> health = ASRHealth(realtime_factor=None, avg_infer_ms=None, backlog_estimate=0,
    ...                    model_resident=True)
    >>> figures(Metrics(at_s=61.0, rtf=0.25, level="normal", sources={}, health=health, cpu_s=0,
    ...                 rss_bytes=1 << 28, listeners=1))
    '1:01  rtf 0.25  queue 0.0 s  normal  256 MiB'
    """
    waiting_s = sum(state.queued_s for state in metrics.sources.values())
    dropped = sum(state.dropped_chunks for state in metrics.sources.values())
    rtf = "none" if metrics.rtf is None else f"{metrics.rtf:.2f}"
    parts = [clock_time(metrics.at_s), f"rtf {rtf}", f"queue {waiting_s:.1f} s", metrics.level]
    if dropped:
        parts.append(f"{dropped} chunks dropped")
    return "  ".join([*parts, f"{metrics.rss_bytes >> 20} MiB"])
