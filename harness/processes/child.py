"""Runs a child process in a process group of its own, reads its output, and ends its whole tree.

A thread reads both outputs all the time, so the child never blocks on a full pipe. The child isn't
bound to an event loop, since a model outlives several. It is ended with all that it started. If
this process is killed, the child ends too: by itself, or a guard process ends it.
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
"""Bytes of standard error that are kept for messages."""
SHOWN_LINES, SHOWN_CHARACTERS = 8, 300
"""Lines of that tail in a message, and characters per line."""
MAX_PARTS = 16
"""Consecutive reads while it writes faster than it is read."""
EXIT_S = 1.0
"""Between the end of its output and its exit."""
LAST_ERRORS_S = 0.5
"""For reading the rest of standard error after its end; its children may keep the pipe open."""


def how_it_ended(code: int) -> str:
    """Describe an exit code: the code, or the signal that killed the process.

    >>> how_it_ended(7), how_it_ended(-9), how_it_ended(-40)
    ('exited with 7', 'was killed by SIGKILL', 'was killed by signal 40')
    """
    names = {known.value: known.name for known in signal.Signals}
    if code >= 0:
        return f"exited with {code}"
    return f"was killed by {names.get(-code, f'signal {-code}')}"


class ChildProcess:
    """A child process that is read and ended as the module describes.

    Args:
        name: Its name in messages.
        argv: The program and its arguments.
        on_output: Called in a thread with what the child wrote to standard error and to standard
            output since the previous call. The order of the two is kept: whatever was written
            before some output comes in the same call or an earlier one.
        on_end: Called last, in that thread, with a description of how the child ended.
        env: Its environment; ours by default.
        ends_itself: Whether the child detects the end of its standard input, and then ends itself
            with all that it started (see `ParentPipe.listen`); otherwise it gets a guard.

    Raises:
        UnavailableError: The program can't be run.
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
        """The process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or minus the number of the signal that killed it; None while running."""
        return self._process.returncode

    def errors(self) -> str:
        """The end of its standard error."""
        return self._tail.decode(errors="replace")

    def last_lines(self) -> list[str]:
        """The last lines of its standard error, shortened for a message."""
        return [line[:SHOWN_CHARACTERS] for line in self.errors().splitlines()[-SHOWN_LINES:]]

    def offer(self, data: bytes | memoryview) -> int:
        """Write to its standard input without blocking, and return the number of bytes accepted.

        Raises:
            ProviderError: The process has ended.
        """
        try:
            return os.write(self._stdin.fileno(), data)
        except BlockingIOError:
            return 0
        except (OSError, ValueError) as error:  # the pipe is broken, or closed by `end`
            raise ProviderError(self.name, "the process takes no more input") from error

    async def room(self, timeout_s: float) -> None:
        """Wait until its standard input accepts more.

        Raises:
            StalledError: It accepted nothing within the timeout.
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
        """End the process and all that it started, within seconds; may be called twice."""
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
                if not selector.select(None if stdout in pipes else LAST_ERRORS_S):
                    break  # one of its children keeps standard error open
                errors, output = _parts(stderr, stdout, selector)
                self._tail = (self._tail + errors)[-TAIL_BYTES:]
                self._on_output(errors, output)
            self._on_end(self._how_it_ended())

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            return "closed its output but kept running"
        self._group.dismiss_guard()  # before the id that it watches can be reused
        return how_it_ended(code)


def _parts(
    stderr: IO[bytes], stdout: IO[bytes], selector: selectors.BaseSelector
) -> tuple[bytes, bytes]:
    """Read from both, so that neither lacks anything written before the other's last byte.

    For that, standard error has to be empty after standard output was read.
    """
    errors, output = _part(stderr, selector), _part(stdout, selector)
    for _ in range(MAX_PARTS):
        if not (more := _part(stderr, selector)):
            break
        errors, output = errors + more, output + _part(stdout, selector)
    return errors, output


def _part(pipe: IO[bytes], selector: selectors.BaseSelector) -> bytes:
    """Read what was written to a pipe; unregister it at its end."""
    part = b""
    if pipe in selector.get_map():
        with contextlib.suppress(BlockingIOError):
            part = os.read(pipe.fileno(), READ_BYTES)
            if not part:
                selector.unregister(pipe)
    return part
