"""Counts side effects of a provider: started processes, created files, reads of the corpus.

Python reports them to audit hooks (PEP 578) from all code and threads. Side effects of native
libraries aren't visible here; other rules cover those.
"""

import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.journal.events import SideEffects

SPAWNS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.spawn"}
CREATES = os.O_CREAT


class AuditHook:
    """Counts side effects of this process, from `install` on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spawns = self._files = self._references = 0
        self._secret: tuple[str, ...] = ()

    def install(self) -> None:
        """Start counting; a hook can't be removed."""
        sys.addaudithook(self._note)

    def keep_secret(self, paths: Iterable[Path]) -> None:
        """From now on, count openings of these files, and of files inside these folders."""
        self._secret = tuple(str(path.resolve()) for path in paths)

    def side_effects(self) -> SideEffects:
        """The counts so far."""
        with self._lock:
            return SideEffects(
                spawns=self._spawns,
                files_created=self._files,
                references_read=self._references,
            )

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            given, _, flags = arguments
            if not isinstance(given, str | bytes | os.PathLike):
                return  # a file that is open already
            path = os.fsdecode(given)
            if isinstance(flags, int) and flags & CREATES and not _is_pythons_own(path):
                with self._lock:
                    self._files += 1
            if self._secret:
                self._note_reading(os.path.abspath(path))  # noqa: PTH100  (no access to the disk)
        elif event in SPAWNS:
            with self._lock:
                self._spawns += 1

    def _note_reading(self, path: str) -> None:
        if any(path == secret or path.startswith(secret + os.sep) for secret in self._secret):
            with self._lock:
                self._references += 1


def _is_pythons_own(path: str) -> bool:
    """Whether a path is the null device or a compiled module, which Python itself writes."""
    return path == os.devnull or ".pyc" in path


AUDIT_HOOK = AuditHook()
"""The hook of this process."""
