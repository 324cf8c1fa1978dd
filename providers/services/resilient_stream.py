"""A stream to a service that reconnects until all of its utterances are answered.

Audio is kept until its utterance has a final. When a connection breaks, the audio of all unanswered
utterances is sent again on the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.clock import now_s
from providers.services.connection import Answer, ServiceConnection
from providers.services.failures import Kind, ServiceFailure, ServiceFailureError
from providers.services.retries import RetryPolicy

CLOSE_S = 1.0
"""Timeout for the closing handshake."""


@dataclass(eq=False)
class PendingUtterance:
    """An utterance without a final."""

    number: int
    audio: list[bytes] = field(default_factory=list)
    """All of its audio, in case it has to be sent again."""
    sent: int = 0
    """Bytes sent on the current connection."""
    over_s: float | None = None
    """When its end was first sent."""
    due_s: float | None = None
    """The deadline of its final."""

    @property
    def samples(self) -> int:
        """Its length so far."""
        return sum(map(len, self.audio)) // BYTES_PER_SAMPLE


@dataclass(frozen=True)
class RetryWait:
    """The wait before a retry; times are on the running clock."""

    failure: ServiceFailure
    attempts: int
    """How many attempts have failed in a row."""
    begin_s: float
    end_s: float
    replayed_s: float
    """Audio that is sent again."""


@dataclass(frozen=True)
class CallSettings:
    """A stream's settings and callbacks."""

    dial: Callable[[], Awaitable[ServiceConnection]]
    retry_policy: RetryPolicy
    connect_s: float
    """Timeout for a connection to be ready."""
    answer_s: float
    """Timeout for sending audio, and for a final after its utterance's end."""
    one_utterance: bool
    """Whether a connection carries a single utterance."""
    failure_of: Callable[[BaseException], ServiceFailure]
    """Classifies an exception."""
    clean: Callable[[str], str]
    """Removes secrets from a service's message."""
    on_answer: Callable[[PendingUtterance, Answer], None]
    on_wait: Callable[[RetryWait], None]
    exhausted: Callable[[ServiceFailure, int], None]
    """Called with the last failure and the number of attempts when the stream ends by it."""


class ResilientStream:
    """See the module; it starts a task at once."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._unanswered: list[PendingUtterance] = []
        self._on_connection: dict[int, PendingUtterance] = {}
        self._sent_count = 0  # utterances sent on the current connection
        self._connection: ServiceConnection | None = None
        self._sending = asyncio.Lock()
        self._has_unanswered = asyncio.Event()
        self._answered = self._late = False  # since the last attempt
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return self._task.done()

    async def feed(self, pending: PendingUtterance, pcm: bytes) -> None:
        """Send audio of an utterance; without a connection it is buffered."""
        async with self._sending:
            if not pending.audio:
                self._unanswered.append(pending)
                self._has_unanswered.set()
            pending.audio.append(pcm)
            await self._send_now(lambda connection: self._send(connection, pending, pcm))

    async def end(self, pending: PendingUtterance) -> None:
        """Send the end of an utterance."""
        async with self._sending:
            pending.over_s = now_s()
            await self._send_now(lambda connection: self._send_end(connection, pending))

    async def close(self) -> None:
        """End the stream within seconds, without waiting for answers."""
        if self._unanswered and self._connection is not None:
            self._connection.abort()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._keep_up()
        except Exception as error:  # noqa: BLE001  (the stream's owner raises it)
            self._give_up(self._settings.failure_of(error), 1)

    async def _keep_up(self) -> None:
        attempts, waited_s = 0, 0.0
        while True:
            self._answered = self._late = False
            failure = await self._try()
            if failure is None:
                return
            sent = sum(pending.sent for pending in self._unanswered)
            replayed_s = 0.0 if failure.refused else sent / BYTES_PER_SAMPLE / SAMPLE_RATE_HZ
            if self._answered:
                attempts, waited_s = 0, 0.0
            attempts += 1
            wait_s = self._settings.retry_policy.wait_s(failure, attempts, waited_s)
            if wait_s is None:
                self._give_up(failure, attempts)
                return
            if failure.kind is Kind.LOST and not self._unanswered:
                self._has_unanswered.clear()
                await self._has_unanswered.wait()  # nothing is lost while there is no speech
                wait_s = 0.0
            begin_s = now_s()
            try:
                await asyncio.sleep(wait_s)
            finally:
                failure = self._cleaned(failure)
                self._settings.on_wait(RetryWait(failure, attempts, begin_s, now_s(), replayed_s))
            waited_s += wait_s

    async def _try(self) -> ServiceFailure | None:
        """Connect and exchange audio and answers; return the failure, None when all is answered."""
        failure = None
        try:
            if not await self._converse(await self._dial()):
                failure = ServiceFailure(Kind.LOST, "the service closed the connection")
        except asyncio.CancelledError:
            if not self._late:
                raise
        except Exception as error:  # noqa: BLE001  (each SDK has its own)
            failure = self._settings.failure_of(error)
        task = asyncio.current_task()
        assert task is not None
        if self._late and not task.uncancel():
            message = f"no final {self._settings.answer_s:g} s after the end of an utterance"
            failure = ServiceFailure(Kind.SILENT, message)
        elif task.cancelling():  # an SDK swallowed the cancellation
            raise asyncio.CancelledError
        return failure

    async def _dial(self) -> ServiceConnection:
        try:
            async with asyncio.timeout(self._settings.connect_s):
                return await self._settings.dial()
        except TimeoutError as error:
            message = f"no connection {self._settings.connect_s:g} s after it was requested"
            raise ServiceFailureError(Kind.TIMEOUT, message) from error

    async def _converse(self, connection: ServiceConnection) -> bool:
        """Send unanswered audio, and read answers; return whether this connection is done."""
        async with aclosing(connection.answers()) as answers:
            try:
                async with self._sending:
                    self._connection = connection
                    await self._replay(connection)
                async for answer in answers:
                    self._take(answer)
                    if self._settings.one_utterance and self._answered:
                        return True
                return False
            finally:
                self._connection = None
                self._set_timer()
                await self._close(connection)

    async def _replay(self, connection: ServiceConnection) -> None:
        self._on_connection, self._sent_count = {}, 0
        for pending in self._unanswered:
            pending.sent, pending.due_s = 0, None
        for pending in self._unanswered:
            for pcm in pending.audio:
                await self._send(connection, pending, pcm)
            if pending.over_s is not None:
                await self._send_end(connection, pending)

    async def _send_now(self, send: Callable[[ServiceConnection], Awaitable[None]]) -> None:
        """Send something on the connection, if there is one; else it is sent on the next one."""
        if self._connection is None:
            return
        try:
            await send(self._connection)
        except Exception as error:  # noqa: BLE001  (each SDK has its own)
            failure = self._settings.failure_of(error)
            if failure.kind is not Kind.LOST:  # the reading task handles a lost connection
                self._give_up(failure, 1)

    async def _send(
        self, connection: ServiceConnection, pending: PendingUtterance, pcm: bytes
    ) -> None:
        if not pending.sent:
            self._on_connection[self._sent_count] = pending
            self._sent_count += 1
        pending.sent += len(pcm)
        await self._in_time(connection.send(pcm))

    async def _send_end(self, connection: ServiceConnection, pending: PendingUtterance) -> None:
        pending.due_s = now_s() + self._settings.answer_s
        self._set_timer()
        await self._in_time(connection.end_utterance())

    async def _in_time(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await sending
        except TimeoutError as error:
            message = f"it took no audio for {self._settings.answer_s:g} s"
            raise ServiceFailureError(Kind.SILENT, message) from error

    def _give_up(self, failure: ServiceFailure, attempts: int) -> None:
        self._settings.exhausted(self._cleaned(failure), attempts)

    def _cleaned(self, failure: ServiceFailure) -> ServiceFailure:
        return replace(failure, message=self._settings.clean(failure.message))

    def _take(self, answer: Answer) -> None:
        if answer.utterance >= self._sent_count:
            raise ServiceFailureError(
                Kind.PROTOCOL_ERROR, "an answer for an utterance that was not sent"
            )
        pending = self._on_connection.get(answer.utterance)
        if pending is None:
            return  # the utterance has its final already
        if answer.is_final:
            if pending.over_s is None:
                raise ServiceFailureError(
                    Kind.PROTOCOL_ERROR, "a final before the end of the utterance"
                )
            del self._on_connection[answer.utterance]
            self._unanswered.remove(pending)
            self._answered = True
            self._set_timer()
        self._settings.on_answer(pending, answer)

    def _set_timer(self) -> None:
        """Set the timer to the earliest deadline of a final."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = [pending.due_s for pending in self._unanswered if pending.due_s is not None]
        if due and self._connection is not None:
            self._timer = asyncio.get_running_loop().call_at(min(due), self._time_out)

    def _time_out(self) -> None:
        self._late = True
        if self._connection is not None:
            self._connection.abort()
        self._task.cancel()

    @staticmethod
    async def _close(connection: ServiceConnection) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await connection.close()
        except BaseException as error:
            connection.abort()
            if not isinstance(error, Exception):
                raise
