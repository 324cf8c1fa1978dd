"""Shows live captions in the terminal: finals scroll by above the sources' partials."""

from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

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

TIME, LABEL = 7, 8
"""Columns of a line, before its text."""
STYLES = {AudioSource.MIC: "cyan", AudioSource.SYSTEM: "yellow"}


class Captions:
    """Shows the messages of a live server.

    Args:
        screen: Where to write.
        live: Whether lines can be rewritten; otherwise only finals and notices are printed.
    """

    def __init__(self, screen: TextIO, *, live: bool) -> None:
        self._console = Console(file=screen, force_terminal=live, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True,
                          redirect_stdout=False, redirect_stderr=False)  # fmt: skip
        if live:
            self._live.start()
        self._open: dict[AudioSource, str] = {}
        self._figures = ""

    def show(self, message: FromServer) -> None:
        """Show a message."""
        match message:
            case Ready():
                names = ", ".join(message.sources)
                what = f"{message.provider} {message.model.rpartition('/')[2]}"
                self._open = dict.fromkeys(message.sources, "")
                self._notice(f"{message.session}: {names} on {what}")
            case Partial(source=source, text=text):
                self._open[source] = text
            case Final(source=source, text=text, t0=t0):
                self._open[source] = ""
                if text.strip():
                    time = f"{clock_time(t0):>{TIME - 1}} "
                    self._console.print(line(source, Text(sanitize(text)), time))
            case Metrics():
                self._figures = figures(message)
            case Status():
                actions = "; ".join(message.actions)
                self._notice(f"{message.level}: {message.message} ({message.cause}; {actions})")
            case Pressure(source=source, level=level, reason=reason):
                self._notice(f"{source}: queue {level:.0%} full, {reason}")
            case Warned(message=words):
                self._notice(words)
            case Failed(message=words):
                self._notice(f"error: {words}")
            case Ended(finals=finals):
                self._notice(f"ended, {finals} finals")
        if self._live.is_started:
            self._live.update(self._now(), refresh=True)

    def close(self) -> None:
        """Restore the terminal."""
        self._live.stop()

    def _notice(self, words: str) -> None:
        notice = Table.grid("", Column(overflow="fold"))
        notice.add_row("-- ", Text(sanitize(words)), style="bold")
        self._console.print(notice)

    def _now(self) -> Group:
        """The lines that are rewritten: one per source, and one of figures."""
        room = self._console.width - TIME - LABEL
        partials = [line(source, Text(tail(sanitize(text), room), "dim"))
                for source, text in self._open.items()]  # fmt: skip
        return Group(*partials, Text(self._figures, "dim", no_wrap=True, overflow="crop"))


def line(source: AudioSource, text: Text, time: str = "") -> Table:
    """A line of a source's text, wrapped below itself where it is long."""
    grid = Table.grid()
    grid.add_column(min_width=TIME, no_wrap=True)
    grid.add_column(min_width=LABEL, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(time, STYLES[source]), Text(source, STYLES[source]), text)
    return grid


def tail(text: str, cells: int) -> str:
    """The end of a text that fits into so many cells of a terminal.

    >>> tail("good morning", 8), tail("早上好", 5), tail("早上好", 6)
    ('…morning', '…上好', '早上好')
    """
    if cell_len(text) <= cells:
        return text
    text = text[-cells:]  # hardly any character is narrower than a cell
    while text and cell_len(text) >= cells:
        text = text[1:]
    return f"…{text}"


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
