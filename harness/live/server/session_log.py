"""Writes a journal per live session, on a thread of its own so that no disk delays a session."""

import logging
import queue
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from harness.clock import ClockKind
from harness.contract import AudioSource
from harness.errors import JournalError
from harness.journal.events import (
    Event,
    LadderMoved,
    SegmentArrived,
    SessionEnded,
    TrialEnded,
    TrialStarted,
    encode,
)
from harness.journal.journal import JournalWriter
from harness.live.server.provider_slots import ProviderSlot
from harness.session.settings import SessionSettings
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import Activity, Transport, TrialSpec
from harness.support.sanitize import sanitize

log = logging.getLogger("echobench.live")
SUFFIX = ".jsonl"
NOMINAL_S = 86_400.0
"""The duration given for a session, whose length is not known when it begins."""
NO_CORPUS = "none"


class SessionLog:
    """Writes a journal per session, named after it, in which the session is the only trial.

    Where a journal can't be written, an error is logged once, and the session continues.

    Args:
        folder: The journals' folder; None keeps nothing.

    Raises:
        JournalError: The folder can't be created or written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._events: queue.SimpleQueue[tuple[str, Event] | None] = queue.SimpleQueue()
        self._journals: dict[str, JournalWriter] = {}
        self._thread = threading.Thread(target=self._write, daemon=True, name="session-log")
        if folder is not None:
            _check_writable(folder)
            self._thread.start()

    def begin(
        self,
        session: str,
        sources: Sequence[AudioSource],
        slot: ProviderSlot,
        settings: SessionSettings,
    ) -> None:
        """Begin a session's journal; its scenario only names the sources, as there is no script."""
        scenario = Scenario(
            title="what a client sent",
            name=session,
            duration_s=NOMINAL_S,
            sources=tuple(SourceScript(name=source, gap_s=(0.0, 0.0)) for source in sources),
            corpus=NO_CORPUS,
            queue_s=settings.queue_s,
        )
        spec = TrialSpec(
            provider=slot.first.provider.name,
            model=slot.first.model,
            chunk_seconds=settings.chunk_seconds,
            scenario=scenario,
            corpus=NO_CORPUS,
            clock=ClockKind.WALL,
            settings=dict(slot.settings),
            activity=Activity.LIVE,
            transport=Transport.WS,
            vad=settings.vad,
        )
        self.keep(session, TrialStarted(key=spec.key, spec=spec))

    def keep(self, session: str, event: Event) -> None:
        """Queue an event for the journal, from any thread; `TrialEnded` closes it."""
        if self._folder is not None:
            self._events.put((session, event))

    def close(self) -> None:
        """Write the queued events, and end the thread."""
        if self._thread.is_alive():
            self._events.put(None)
            self._thread.join()

    def _write(self) -> None:
        assert self._folder is not None
        while (queued := self._events.get()) is not None:
            session, event = queued
            try:
                if isinstance(event, TrialStarted):
                    path = self._folder / f"{session}{SUFFIX}"
                    self._journals[session] = JournalWriter(path)
                    self._journals[session].begin(event)
                elif session in self._journals:  # else writing it failed
                    self._append(session, event)
            except JournalError as error:
                self._give_up(session, error)
        for session, journal in self._journals.items():
            try:
                journal.close()
            except JournalError as error:
                _report(session, error)

    def _append(self, session: str, event: Event) -> None:
        journal = self._journals[session]
        if isinstance(event, TrialEnded):
            journal.end(event)
            journal.close()
            del self._journals[session]
            return
        journal.append(encode(event))
        if isinstance(event, SegmentArrived | LadderMoved | SessionEnded):
            journal.flush()  # text survives this process

    def _give_up(self, session: str, error: JournalError) -> None:
        _report(session, error)
        if session in self._journals:
            self._journals.pop(session).close()  # raises nothing after a failure


def _report(session: str, error: JournalError) -> None:
    log.error("%s; %s continues, without a journal from here on", sanitize(str(error)), session)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise JournalError.unwritable(folder, error) from error
