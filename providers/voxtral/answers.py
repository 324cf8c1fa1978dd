"""Parses the output of a voxtral.c process: text, and the symbols of `--monitor`.

The symbols show when it computed. A step begins when all its audio is in the pipe and the previous
step has ended, and ends when its symbol is read. So its duration is wall time, as for an engine in
this process, and includes the pipe's delay.
"""

import codecs
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import Protocol

from harness.audio import BYTES_PER_SAMPLE
from harness.errors import BadOutputError
from harness.provider.output_checks import MAX_TEXT
from providers.voxtral import pace as symbols
from providers.voxtral.errors import explained
from providers.voxtral.pace import Pace

SYMBOLS = re.compile(f"[{symbols.ENCODED}{symbols.PREFILLED}{symbols.DECODED}{symbols.RESETS}]")
"""The symbols that are parsed; any amount of other text may come between them."""
LOADED = b"Model loaded.\n"
TAIL = 1 << 14
"""Bytes of standard error that are kept for an explanation."""
MAX_UNDECODABLE = 32
"""Invalid UTF-8 bytes in one utterance; a reset in the middle of a character leaves three."""


@dataclass(frozen=True)
class Step:
    """One computation; see the module."""

    begin_s: float
    end_s: float
    samples: int
    """Samples read since the previous step."""


class Listener(Protocol):
    """Receives a process' output."""

    def on_text(self, text: str, taken: int) -> None:
        """Take a piece of text, which may end within a word, and the number of samples read."""

    def on_step(self, step: Step, taken: int) -> None:
        """Take a step, and the number of samples read after it."""

    def fail(self, error: Exception) -> None:
        """Take the error after which the process is unusable."""


class Answers:
    """Parses what the reading threads get from a process, and calls its listener on the event loop.

    Args:
        where: The provider, for messages.
        interval_s: The process' option `-I`.
        notify: Schedules a call with the listener on the event loop.
    """

    def __init__(
        self,
        where: str,
        interval_s: float,
        notify: Callable[[Callable[[Listener], None]], None],
    ) -> None:
        self._where, self._notify = where, notify
        self.pace = Pace(interval_s)
        self.lock = threading.Lock()
        """Held while audio is written, so that no answer is parsed before its audio is counted, and
        while an answer is parsed, so that no reader sees a partial update."""
        self.failure: Exception | None = None
        self.is_loaded = False
        self._log = b""
        self._bytes = 0
        self._accepted: deque[tuple[int, float]] = deque()  # samples fed, and when they were
        self._begin_s = self._end_s = 0.0
        self._taken = 0
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._symbols = codecs.getincrementaldecoder("utf-8")("replace")
        self._characters = self._undecodable = 0

    @property
    def are_complete(self) -> bool:
        """Whether the process has answered all audio that it can.

        Calls to the listener are then scheduled for all text, except that of the very last step.
        """
        with self.lock:
            return self.pace.is_idle

    @property
    def odd_bytes(self) -> int:
        """How many bytes complete the current sample, after a write that was cancelled."""
        return self._bytes % BYTES_PER_SAMPLE

    def fed(self, count: int, at_s: float) -> None:
        """Count bytes that the pipe has accepted; the caller holds the lock."""
        self._bytes += count
        self.pace.fed = self._bytes // BYTES_PER_SAMPLE
        if count:
            self._accepted.append((self.pace.fed, at_s))

    def begin_utterance(self) -> None:
        """Reset the incomplete text and the error counts for a new utterance."""
        with self.lock:
            self._text.reset()
            self._characters = self._undecodable = 0

    def fail(self, error: Exception) -> None:
        """Record that no answer follows; the first error counts."""
        with self.lock:
            self._fail(error)

    def end(self, how_it_ended: str) -> None:
        """Record that the process ended, with the reason found in its standard error."""
        stderr = self._log.decode(errors="replace")
        self.fail(explained(self._where, how_it_ended, stderr))

    def take(self, errors: bytes, output: bytes, at_s: float) -> None:
        """Parse new bytes of standard error, which also has other text, and standard output."""
        with self.lock:
            log = self._log + errors
            self.is_loaded, self._log = self.is_loaded or LOADED in log, log[-TAIL:]
            for symbol in SYMBOLS.findall(self._symbols.decode(errors)):
                if (step := self._step_of(symbol, at_s)) is not None:
                    self._notify(methodcaller("on_step", step, self.pace.taken))
            self._take_text(self._text.decode(output))
            self._notify(lambda listener: None)  # wakes a waiting task

    def _fail(self, error: Exception) -> None:
        self.failure = failure = self.failure or error
        self._notify(lambda listener: listener.fail(failure))

    def _take_text(self, text: str) -> None:
        self._characters += len(text)
        self._undecodable += text.count("\N{REPLACEMENT CHARACTER}")
        if self._undecodable > MAX_UNDECODABLE:
            problem = f"wrote {self._undecodable} bytes that are no UTF-8"
            self._fail(BadOutputError(self._where, problem, "text"))
        elif self._characters > MAX_TEXT:
            problem = f"wrote {self._characters} characters for one utterance"
            self._fail(BadOutputError(self._where, problem, f"at most {MAX_TEXT}"))
        elif text:
            self._notify(methodcaller("on_text", text, self.pace.taken))

    def _step_of(self, symbol: str, at_s: float) -> Step | None:
        """Update the pace by a symbol; return the step that it ends, if any."""
        pace = self.pace
        if symbol == symbols.ENCODED:
            while self._accepted and self._accepted[0][0] < pace.due_at():
                self._accepted.popleft()
            complete_s = self._accepted[0][1] if self._accepted else at_s
            self._begin_s = min(max(complete_s, self._end_s), at_s)
            pace.encoded()
        elif symbol == symbols.PREFILLED:
            pace.prefilled()
        elif symbol in symbols.DECODED:
            pace.decoded(text=symbol in symbols.DECODED_TEXT)
        else:
            pace.reset(fully=symbol == symbols.FULL_RESET)
            return None
        return None if pace.awaited else self._step(at_s)

    def _step(self, end_s: float) -> Step:
        step = Step(self._begin_s, end_s, self.pace.taken - self._taken)
        self._begin_s = self._end_s = end_s
        self._taken = self.pace.taken
        return step
