"""Writes and reads the journal of a run: one event per line, with a checksum, only appended.

A line is a JSON object: the event, the number of its trial, and `crc`, the CRC-32 of everything
before it. A process that dies leaves at most one incomplete line, the last, which is ignored and
removed before anything is appended. It is recognised by its missing line feed; any other line with
a wrong checksum is damaged, and an error.
"""

import contextlib
import fcntl
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.errors import JournalError
from harness.journal.events import AnyEvent, Event, TrialEnded, TrialStarted, encode
from harness.support.gc_pause import gc_paused

TRIAL_MARK = b'{"trial":'
CRC_MARK = b',"crc":"'
CRC_BYTES = len(CRC_MARK) + 8 + len(b'"}')


_decode_event = msgspec.json.Decoder(AnyEvent).decode


def seal(trial: int, event: bytes) -> bytes:
    r"""Make a journal line from an encoded event.

    >>> seal(3, b'{"kind":"chunk_done"}')
    b'{"trial":3,"kind":"chunk_done","crc":"d3532aec"}\n'
    """
    body = b"%s%d,%s" % (TRIAL_MARK, trial, event[1:-1])
    return body + CRC_MARK + b'%08x"}\n' % zlib.crc32(body)


def is_intact(line: bytes) -> bool:
    """Check that a line is complete and unchanged.

    >>> is_intact(seal(3, b'{"kind":"chunk_done"}')), is_intact(b'{"trial":3,"kind":"fin')
    (True, False)
    """
    body, mark = line[: -CRC_BYTES - 1], line[-CRC_BYTES - 1 :]
    return mark == CRC_MARK + b'%08x"}\n' % zlib.crc32(body)


class JournalWriter:
    """Appends to a run's journal; all events of an ended trial are on the disk.

    Args:
        path: The file; created when missing. An incomplete last line is removed.

    Raises:
        JournalError: The file can't be written (a read-only folder, a full disk, another run that
            writes to it), or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._broken = False
        with contextlib.ExitStack() as until_ready:
            try:
                self._file = until_ready.enter_context(path.open("ab"))
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._trial = max((trial.number for trial in read_journal(path)), default=0)
                self._file.truncate(sum(map(len, _intact_lines(path))))
            except BlockingIOError as error:
                problem = "another run is writing to it"
                raise JournalError(str(path), problem, "one run at a time") from error
            except OSError as error:
                raise JournalError.unwritable(path, error) from error
            until_ready.pop_all()

    def begin(self, event: TrialStarted) -> None:
        """Start the next trial."""
        self._trial += 1
        self.append(encode(event))

    def append(self, event: bytes) -> None:
        """Write an encoded event of the current trial."""
        with self._writing():
            self._file.write(seal(self._trial, event))

    def end(self, event: TrialEnded) -> None:
        """End the current trial, and wait until all of it is on the disk."""
        self.append(encode(event))
        self.sync()

    def flush(self) -> None:
        """Hand everything to the system, which writes it even if this process dies."""
        with self._writing():
            self._file.flush()

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        with self._writing():
            self._file.flush()
            os.fsync(self._file.fileno())

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._broken = True
            raise JournalError.unwritable(self.path, error) from error

    def close(self) -> None:
        """Write what is buffered and close the file; an error that was raised isn't repeated."""
        try:
            self._file.close()
        except OSError as error:
            if not self._broken:
                raise JournalError.unwritable(self.path, error) from error


@dataclass
class TrialRecord:
    """The events of a trial in the journal."""

    number: int
    started: TrialStarted
    events: list[Event] = field(default_factory=list)
    ended: TrialEnded | None = None
    line: int = 0
    """The line of the trial's start, from 1; its events are in the lines that follow."""


@gc_paused()
def read_journal(path: Path) -> list[TrialRecord]:
    """Read all trials of a journal; `ended` is None for a trial that did not end.

    Raises:
        JournalError: The file can't be read, or is damaged before its end.
    """
    trials: dict[int, TrialRecord] = {}
    trial, prefix = 0, b"none yet"
    for number, line in enumerate(_intact_lines(path), 1):
        try:
            if not line.startswith(prefix):  # nearly all lines are of the previous line's trial
                trial = _trial_of(line)
                prefix = b"%s%d," % (TRIAL_MARK, trial)
            event = _decode_event(line)
            if isinstance(event, TrialStarted):
                trials[trial] = TrialRecord(trial, event, line=number)
            else:
                record = trials[trial]
                record.events.append(event)
                if isinstance(event, TrialEnded):
                    record.ended = event
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise JournalError(
                f"{path}, line {number}",
                f"is of another schema ({error})",
                "a journal of this version",
            ) from error
    return list(trials.values())


def _trial_of(line: bytes) -> int:
    """Parse the trial's number that `seal` wrote; faster than decoding the line twice."""
    if not line.startswith(TRIAL_MARK):
        raise ValueError("it doesn't begin with a trial's number")
    return int(line[len(TRIAL_MARK) : line.index(b",", len(TRIAL_MARK))])


def _intact_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if is_intact(line):
                    yield line
                elif line.endswith(b"\n"):
                    where = f"{path}, line {number}"
                    raise JournalError(where, "is damaged", "an unchanged journal")
    except FileNotFoundError:
        return
    except OSError as error:
        raise JournalError(str(path), f"can't be read ({error.strerror})") from error
