"""Keeps a journal of each live session, on its own thread, so that no disk holds a session up."""

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
LONGEST_S = 86_400.0
"""Stands for a session's length, which is not known when it begins."""
NO_CORPUS = "none"


class SessionLog:
    """Writes a journal for each session; a session is a trial of the journal with its name.

    Where a journal can't be written, the operator is told once, and the session goes on.

    Args:
        folder: Where the journals go; nothing is kept when None.

    Raises:
        JournalError: The folder can't be made or written.
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
        """Begin a session's journal; there is no script, so the scenario only names the sources."""
        scenario = Scenario(
            title="what a client sent",
            name=session,
            duration_s=LONGEST_S,
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
        """Write an event down, soon; from any thread. `TrialEnded` closes the journal."""
        if self._folder is not None:
            self._events.put((session, event))

    def close(self) -> None:
        """Write what is left."""
        if self._thread.is_alive():
            self._events.put(None)
            self._thread.join()

    def _write(self) -> None:
        assert self._folder is not None
        while (noted := self._events.get()) is not None:
            session, event = noted
            try:
                if isinstance(event, TrialStarted):
                    path = self._folder / f"{session}{SUFFIX}"
                    self._journals[session] = JournalWriter(path)
                    self._journals[session].begin(event)
                elif session in self._journals:  # else it was given up
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
            journal.flush()  # what was said outlives this process

    def _give_up(self, session: str, error: JournalError) -> None:
        _report(session, error)
        if session in self._journals:
            self._journals.pop(session).close()  # raises nothing once it has failed


def _report(session: str, error: JournalError) -> None:
    log.error("%s; %s goes on, and is not kept from here on", sanitize(str(error)), session)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise JournalError.unwritable(folder, error) from error
