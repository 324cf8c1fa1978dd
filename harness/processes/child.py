"""A child process in a group of its own: always drained, never waited for without end.

Both of its outputs are read by a thread from the first moment to the last, so it never waits for
us. It belongs to no event loop, since a model outlives many. It is ended with all that it started,
and if this process is killed, the child ends too: by itself, or a guard ends it.
"""

import asyncio
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import IO, cast

from harness.errors import ProviderError, StalledError, UnavailableError
from harness.processes.descendants import MARK, TERMINATE_S, ProcessGroup
from harness.processes.framing import READ_BYTES

TAIL_BYTES = 1 << 16
"""Of standard error, which are kept for messages."""
SHOWN_LINES, SHOWN_CHARACTERS = 8, 300
"""Of that tail, in a message."""
MAX_PARTS = 16
"""Reads in a row, if it writes faster than it is read."""
EXIT_S = 1.0
"""For one whose output has ended to end too."""
LAST_WORDS_S = 0.5
"""For what it wrote to standard error before its end; its children may keep that open."""


def how_it_ended(code: int) -> str:
    """An exit code in words; a signal's name, also where it has none of its own.

    >>> how_it_ended(7), how_it_ended(-9), how_it_ended(-40)
    ('exited with 7', 'was killed by SIGKILL', 'was killed by signal 40')
    """
    names = {known.value: known.name for known in signal.Signals}
    if code >= 0:
        return f"exited with {code}"
    return f"was killed by {names.get(-code, f'signal {-code}')}"


class ChildProcess:
    """See the module.

    Args:
        name: What to call it in messages.
        argv: The program and its arguments.
        on_output: Takes what it has written to standard error and to standard output since the
            call before, in a thread. What was written before something, to either of them, comes
            with it or came earlier.
        on_end: Told how it ended, when its standard output has; in that thread, and the last call.
        env: Its environment; ours by default.
        ends_itself: It notices when its standard input ends, and then ends with all that it started
            (see `ParentPipe.listen`); any other child gets a guard.

    Raises:
        UnavailableError: It can't be run.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        on_output: Callable[[bytes, bytes], None],
        on_end: Callable[[str], None],
        env: Mapping[str, str] = os.environ,
        ends_itself: bool = False,
    ) -> None:
        self.name, self._on_output, self._on_end = name, on_output, on_end
        self._tail = b""
        mark = uuid.uuid4().hex if ends_itself else ""
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                env={**env, MARK: mark} if mark else env,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            allowed = "a program that was built for this machine"
            raise UnavailableError(name, f"can't run {argv[0]} ({reason})", allowed) from error
        pipes = self._process.stdin, self._process.stdout, self._process.stderr
        self._stdin, self._stdout, self._stderr = cast("tuple[IO[bytes], ...]", pipes)
        os.set_blocking(self._stdin.fileno(), False)
        self._group = ProcessGroup(self._process, mark)
        self._ended = weakref.finalize(self, self._group.end)
        self._reader = threading.Thread(target=self._read, name=f"{name} reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process, which leads a group of its own."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What it exited with, or the signal that killed it, negative; None before its end."""
        return self._process.returncode

    def errors(self) -> str:
        """The last that it wrote to standard error."""
        return self._tail.decode(errors="replace")

    def last_lines(self) -> list[str]:
        """The last lines of that, at a length that someone reads."""
        return [line[:SHOWN_CHARACTERS] for line in self.errors().splitlines()[-SHOWN_LINES:]]

    def offer(self, data: bytes | memoryview) -> int:
        """Write to its standard input as much as there is room for, and return how much that was.

        Raises:
            ProviderError: It has ended.
        """
        try:
            return os.write(self._stdin.fileno(), data)
        except BlockingIOError:
            return 0
        except (OSError, ValueError) as error:  # the pipe is broken, or closed by `end`
            raise ProviderError(self.name, "the process takes no more input") from error

    async def room(self, timeout_s: float) -> None:
        """Wait until it can be offered more.

        Raises:
            StalledError: It took nothing for so long.
        """
        loop, room = asyncio.get_running_loop(), asyncio.Event()
        descriptor = self._stdin.fileno()
        loop.add_writer(descriptor, room.set)
        try:
            async with asyncio.timeout(timeout_s):
                await room.wait()
        except TimeoutError as error:
            raise StalledError(self.name, f"took no audio for {timeout_s:g} s") from error
        finally:
            loop.remove_writer(descriptor)

    def end(self) -> None:
        """End it and all that it started, within seconds; may be called twice."""
        self._ended()
        if self._reader is not threading.current_thread():
            self._reader.join(TERMINATE_S)
        self._stdin.close()

    def _read(self) -> None:
        """Read from both pipes until they have ended."""
        stderr, stdout = self._stderr, self._stdout
        with selectors.DefaultSelector() as selector, stderr, stdout:
            for pipe in (stderr, stdout):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ)
            while pipes := selector.get_map():
                if not selector.select(None if stdout in pipes else LAST_WORDS_S):
                    break  # something that it started holds its standard error
                errors, output = _parts(stderr, stdout, selector)
                self._tail = (self._tail + errors)[-TAIL_BYTES:]
                self._on_output(errors, output)
            self._on_end(self._how_it_ended())

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            return "closed its output and went on"
        self._group.dismiss_guard()  # before another process gets the number that it watches
        return how_it_ended(code)


def _parts(
    stderr: IO[bytes], stdout: IO[bytes], selector: selectors.BaseSelector
) -> tuple[bytes, bytes]:
    """What has been written to both, so that neither lacks what was written before the other's end.

    For that, nothing may be new on the one when the other was read last.
    """
    errors, output = _part(stderr, selector), _part(stdout, selector)
    for _ in range(MAX_PARTS):
        if not (news := _part(stderr, selector)):
            break
        errors, output = errors + news, output + _part(stdout, selector)
    return errors, output


def _part(pipe: IO[bytes], selector: selectors.BaseSelector) -> bytes:
    """What has been written to a pipe; at its end, it is selected no more."""
    part = b""
    if pipe in selector.get_map():
        with contextlib.suppress(BlockingIOError):
            part = os.read(pipe.fileno(), READ_BYTES)
            if not part:
                selector.unregister(pipe)
    return part
