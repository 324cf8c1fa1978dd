"""Writes down what happens in live sessions, on its own thread, so that no disk holds them up."""

import contextlib
import queue
import threading
from pathlib import Path
from typing import BinaryIO

from harness.errors import JournalError
from harness.journal.events import Event, LadderMoved, SegmentArrived, SessionEnded, encode

SUFFIX = ".jsonl"


class SessionLog:
    """Keeps a file of events for each session: what was said is on its way to the disk at once.

    Args:
        folder: Where the files go; nothing is kept when None.

    Raises:
        JournalError: The folder can't be made.
    """

    def __init__(self, folder: Path | None) -> None:
        self.problem: str | None = None
        """Why something could not be kept, if so."""
        self._folder = folder
        self._lines: queue.SimpleQueue[tuple[str, Event] | None] = queue.SimpleQueue()
        self._files: dict[str, BinaryIO] = {}
        self._thread = threading.Thread(target=self._write, daemon=True, name="keeper")
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                problem = f"can't be made ({error.strerror})"
                raise JournalError(str(folder), problem, "a folder with room and rights") from error
            self._thread.start()

    def path_of(self, session: str) -> Path | None:
        """Where a session's events are kept."""
        return self._folder / f"{session}{SUFFIX}" if self._folder else None

    def keep(self, session: str, event: Event) -> None:
        """Write an event down, soon; from any thread."""
        if self._folder is not None:
            self._lines.put((session, event))

    def close(self) -> None:
        """Write what is left."""
        if self._thread.is_alive():
            self._lines.put(None)
            self._thread.join()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            session, event = line
            try:
                self._append(session, event)
            except OSError as error:
                self.problem = f"{self.path_of(session)}: can't be written ({error.strerror})"
                with contextlib.suppress(OSError):
                    self._files.pop(session).close()
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()

    def _append(self, session: str, event: Event) -> None:
        path = self.path_of(session)
        assert path is not None
        file = self._files.get(session)
        if file is None:
            file = self._files[session] = path.open("ab")
        file.write(encode(event) + b"\n")
        if isinstance(event, SegmentArrived | LadderMoved | SessionEnded):
            file.flush()
        if isinstance(event, SessionEnded):
            self._files.pop(session).close()
