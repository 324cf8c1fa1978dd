"""What a voxtral.c process answers, read while it computes: text, and the symbols of `--monitor`.

The symbols tell when it computed. A step begins when it has all that it needs, the audio in its
pipe and the step before out of the way, and ends when its symbol is read: so it is the wall's time,
as for an engine in this process, with the pipe's delay in it.
"""

import codecs
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from harness.audio import BYTES_PER_SAMPLE
from harness.errors import BadOutputError
from harness.provider.output_checks import MAX_TEXT
from providers.voxtral import pace as symbols
from providers.voxtral.errors import explained
from providers.voxtral.pace import Pace

SYMBOLS = re.compile(f"[{symbols.ENCODED}{symbols.PREFILLED}{symbols.DECODED}{symbols.RESETS}]")
"""Those that matter here; there may be a flood of other text between them."""
LOADED = b"Model loaded.\n"
TAIL = 1 << 14
"""Bytes of standard error that are kept for an explanation."""
MAX_UNDECODABLE = 32
"""Bytes of one utterance that are no UTF-8; a reset in the middle of a character leaves three."""


@dataclass(frozen=True)
class Step:
    """One time that it computed; see the module."""

    begin_s: float
    end_s: float
    samples: int
    """Those that it had read since the step before."""


class Listener(Protocol):
    """Who is told what a process does."""

    def said(self, text: str, taken: int) -> None:
        """Take a piece of text, which may end in a word, and how much it had read by then."""

    def computed(self, step: Step, taken: int) -> None:
        """Take note of a step, after which it had read so many samples."""

    def fail(self, error: Exception) -> None:
        """Be told that the process is of no use any more."""


def _said(text: str, taken: int, listener: Listener) -> None:
    listener.said(text, taken)


def _computed(step: Step, taken: int, listener: Listener) -> None:
    listener.computed(step, taken)


class Answers:
    """Fed by the threads that read the outputs; asked by the event loop.

    Args:
        where: The provider, for messages.
        interval_s: The process' option `-I`.
        tell: Has a listener called, soon and in the event loop.
    """

    def __init__(
        self,
        where: str,
        interval_s: float,
        tell: Callable[[Callable[[Listener], None]], None],
    ) -> None:
        self._where, self._tell = where, tell
        self.pace = Pace(interval_s)
        self.lock = threading.Lock()
        """Held while the process is offered audio, so that no answer comes before its question,
        and while an answer is taken note of, so that nobody sees half of it."""
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
        """Whether all that was asked is answered.

        Then listeners are about to be told all text, but for that of the very last step.
        """
        with self.lock:
            return self.pace.is_idle

    @property
    def odd_bytes(self) -> int:
        """How many bytes are missing to a whole sample, after a write that was cancelled."""
        return self._bytes % BYTES_PER_SAMPLE

    def asked(self, count: int, at_s: float) -> None:
        """Note that the pipe has taken so many bytes; the caller holds the lock."""
        self._bytes += count
        self.pace.fed = self._bytes // BYTES_PER_SAMPLE
        if count:
            self._accepted.append((self.pace.fed, at_s))

    def begin_utterance(self) -> None:
        """Forget what was left unfinished, and count afresh what may go wrong in an utterance."""
        with self.lock:
            self._text.reset()
            self._characters = self._undecodable = 0

    def fail(self, error: Exception) -> None:
        """Note that no answer follows; the first reason counts."""
        with self.lock:
            self._fail(error)

    def end(self, how_it_ended: str) -> None:
        """Note that the process ended; what it wrote before may say why."""
        stderr = self._log.decode(errors="replace")
        self.fail(explained(self._where, how_it_ended, stderr))

    def take(self, errors: bytes, output: bytes, at_s: float) -> None:
        """Read what came on standard error, where there is other text too, and standard output."""
        with self.lock:
            log = self._log + errors
            self.is_loaded, self._log = self.is_loaded or LOADED in log, log[-TAIL:]
            for symbol in SYMBOLS.findall(self._symbols.decode(errors)):
                if (step := self._step_of(symbol, at_s)) is not None:
                    self._tell(partial(_computed, step, self.pace.taken))
            self._take_text(self._text.decode(output))
            self._tell(lambda listener: None)  # whoever waits may wait for this

    def _fail(self, error: Exception) -> None:
        self.failure = failure = self.failure or error
        self._tell(lambda listener: listener.fail(failure))

    def _take_text(self, text: str) -> None:
        self._characters += len(text)
        self._undecodable += text.count("\N{REPLACEMENT CHARACTER}")
        if self._undecodable > MAX_UNDECODABLE:
            problem = f"said {self._undecodable} bytes that are no UTF-8"
            self._fail(BadOutputError(self._where, problem, "text"))
        elif self._characters > MAX_TEXT:
            problem = f"said {self._characters} characters about one utterance"
            self._fail(BadOutputError(self._where, problem, f"at most {MAX_TEXT}"))
        elif text:
            self._tell(partial(_said, text, self.pace.taken))

    def _step_of(self, symbol: str, at_s: float) -> Step | None:
        """Take note of a symbol; return the step that it ends, if it does."""
        pace = self.pace
        if symbol == symbols.ENCODED:
            while self._accepted and self._accepted[0][0] < pace.due_at():
                self._accepted.popleft()
            has_all_s = self._accepted[0][1] if self._accepted else at_s
            self._begin_s = min(max(has_all_s, self._end_s), at_s)
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
