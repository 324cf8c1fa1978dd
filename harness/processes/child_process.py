"""A child process that computes for a provider: always drained, never waited for without end.

Both of its outputs are read by a thread from the first moment to the last, so it never waits for
us. It belongs to no event loop, since a model outlives many. It is ended with all that it started,
and if this process is killed, a guard ends it instead.
"""

import asyncio
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import IO

import psutil

from harness.errors import ProviderError, StalledError, UnavailableError
from harness.processes.child import signal_name

TAIL = 1 << 14
"""Bytes of standard error that are kept for messages."""
READ = 1 << 16
MAX_PARTS = 16
"""Reads in a row, if it writes faster than it is read."""
TERMINATE_S = 1.0
"""Between asking a process to end and ending it."""
LAST_WORDS_S = 0.5
"""For what a process wrote before its end to be read, and for its end itself."""
GUARD = 'read -r _; kill -s KILL -- "-$1"'
"""A shell's; its standard input ends when this process does, however that comes about."""


class ChildProcess:
    """See the module.

    Args:
        name: What to call it in messages.
        argv: The program and its arguments.
        on_output: Takes what it has written to standard error and to standard output since the
            call before, in a thread. What was written before something, to either of them, comes
            with it or came earlier.
        on_end: Told how it ended, when its standard output has; in that thread, and the last call.

    Raises:
        UnavailableError: It can't be run.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        on_output: Callable[[bytes, bytes], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._name = name
        self._tail = b""
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            allowed = "a program that was built for this machine"
            raise UnavailableError(name, f"can't run {argv[0]} ({reason})", allowed) from error
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        os.set_blocking(stdin.fileno(), False)
        self._stdin = stdin
        self._guard = _guard(self.pid)
        self._ended = weakref.finalize(self, _end, self._process, self._guard)
        self._reader = threading.Thread(
            target=self._read,
            args=(stderr, stdout, on_output, on_end),
            name=f"{name} reader",
            daemon=True,
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process, which leads a group of its own."""
        return self._process.pid

    def errors(self) -> str:
        """The last that it wrote to standard error."""
        return self._tail.decode(errors="replace")

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
            raise ProviderError(self._name, "the process takes no more input") from error

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
            raise StalledError(self._name, f"took no audio for {timeout_s:g} s") from error
        finally:
            loop.remove_writer(descriptor)

    def end(self) -> None:
        """End it and all that it started, within seconds; may be called twice."""
        self._ended()
        if self._reader is not threading.current_thread():
            self._reader.join(TERMINATE_S)
        self._stdin.close()

    def _read(
        self,
        stderr: IO[bytes],
        stdout: IO[bytes],
        on_output: Callable[[bytes, bytes], None],
        on_end: Callable[[str], None],
    ) -> None:
        """Read from both pipes until they have ended."""
        with selectors.DefaultSelector() as selector, stderr, stdout:
            for pipe in (stderr, stdout):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ)
            while pipes := selector.get_map():
                if not selector.select(None if stdout in pipes else LAST_WORDS_S):
                    break  # something that it started holds its standard error
                errors, output = _parts(stderr, stdout, selector)
                self._tail = (self._tail + errors)[-TAIL:]
                on_output(errors, output)
            on_end(self._how_it_ended())

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            return "closed its output and went on"
        _dismiss(self._guard)  # before another process gets the number that it watches
        if code >= 0:
            return f"exited with {code}"
        return f"was killed by {signal_name(-code)}"


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
            part = os.read(pipe.fileno(), READ)
            if not part:
                selector.unregister(pipe)
    return part


def _guard(pid: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _dismiss(guard: "subprocess.Popen[bytes]") -> None:
    guard.kill()
    guard.wait()
    assert guard.stdin is not None
    guard.stdin.close()


def _end(process: "subprocess.Popen[bytes]", guard: "subprocess.Popen[bytes]") -> None:
    """Ask, wait a little, then make sure: of the process, its group, and what left its group."""
    started = _descendants(process.pid)
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(TERMINATE_S)
    _signal_group(process.pid, signal.SIGKILL)
    for descendant in started:
        with contextlib.suppress(psutil.Error):
            descendant.kill()
    process.wait()
    _dismiss(guard)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _signal_group(pid: int, number: int) -> None:
    # Nobody may be left in the group, which macOS calls a lack of permission.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
