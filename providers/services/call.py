"""A call to a service: kept up until the utterances on it are answered, whatever becomes of wires.

Audio is kept until its utterance has a final. When a connection breaks, the service has lost what
it was sent, so all of that is sent again on the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.clock import now_s
from providers.services.connection import Answer, Wire
from providers.services.failures import Kind, Trouble, TroubleError, trouble_of
from providers.services.retries import RetryPolicy

CLOSE_S = 1.0
"""For a service to say goodbye."""


@dataclass(eq=False)
class Spoken:
    """An utterance that has no final yet."""

    number: int
    audio: list[bytes] = field(default_factory=list)
    """All of it, for the case that it has to be sent again."""
    sent: int = 0
    """Bytes that the present wire was given."""
    over_s: float | None = None
    """When its end was sent for the first time."""
    due_s: float | None = None
    """When its final has to be there."""

    @property
    def samples(self) -> int:
        """Its length so far."""
        return sum(map(len, self.audio)) // BYTES_PER_SAMPLE


@dataclass(frozen=True)
class Wait:
    """A call that failed waited before it tried again; times are on the running clock."""

    trouble: Trouble
    attempts: int
    """How many have failed in a row."""
    begin_s: float
    end_s: float
    replayed_s: float
    """Audio that was sent in vain, and is sent again."""


@dataclass(frozen=True)
class Line:
    """How a call is made, and whom it tells."""

    dial: Callable[[], Awaitable[Wire]]
    retry_policy: RetryPolicy
    connect_s: float
    """For a connection to be ready."""
    answer_s: float
    """For a service to take audio, and for a final after its utterance's end."""
    one_utterance: bool
    """Whether a wire carries a single one."""
    clean: Callable[[str], str]
    """Takes secrets out of what a service said."""
    heard: Callable[[Spoken, Answer], None]
    waited: Callable[[Wait], None]
    given_up: Callable[[Trouble, int], None]
    """Told the last trouble and how many attempts there were; the call is over then."""


class Call:
    """See the module; it begins at once, in a task of its own."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._unanswered: list[Spoken] = []
        self._on_wire: dict[int, Spoken] = {}
        self._given = 0  # utterances that the present wire was given
        self._wire: Wire | None = None
        self._sending = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._answered = self._late = False  # since the last attempt
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self._task.done()

    async def feed(self, spoken: Spoken, pcm: bytes) -> None:
        """Send audio of an utterance; without a connection it is only kept."""
        async with self._sending:
            if not spoken.audio:
                self._unanswered.append(spoken)
                self._wanted.set()
            spoken.audio.append(pcm)
            await self._now(lambda wire: self._give(wire, spoken, pcm))

    async def end(self, spoken: Spoken) -> None:
        """Say that an utterance is over."""
        async with self._sending:
            spoken.over_s = now_s()
            await self._now(lambda wire: self._give_end(wire, spoken))

    async def hang_up(self) -> None:
        """End it within seconds; what is unanswered stays so."""
        if self._unanswered and self._wire is not None:
            self._wire.abort()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._keep_up()
        except Exception as error:  # noqa: BLE001  (whoever made the call raises it)
            self._give_up(trouble_of(error), 1)

    async def _keep_up(self) -> None:
        attempts, waited_s = 0, 0.0
        while True:
            self._answered = self._late = False
            trouble = await self._try()
            if trouble is None:
                return
            sent = sum(spoken.sent for spoken in self._unanswered)
            replayed_s = 0.0 if trouble.refused else sent / BYTES_PER_SAMPLE / SAMPLE_RATE_HZ
            if self._answered:
                attempts, waited_s = 0, 0.0
            attempts += 1
            wait_s = self._line.retry_policy.wait_s(trouble, attempts, waited_s)
            if wait_s is None:
                self._give_up(trouble, attempts)
                return
            if trouble.kind is Kind.LOST and not self._unanswered:
                self._wanted.clear()
                await self._wanted.wait()  # nobody speaks, so nothing is lost yet
                wait_s = 0.0
            begin_s = now_s()
            try:
                await asyncio.sleep(wait_s)
            finally:
                trouble = self._cleaned(trouble)
                self._line.waited(Wait(trouble, attempts, begin_s, now_s(), replayed_s))
            waited_s += wait_s

    async def _try(self) -> Trouble | None:
        """Connect and converse; tell what ended it, None when all is said."""
        trouble = None
        try:
            if not await self._converse(await self._dial()):
                trouble = Trouble(Kind.LOST, "the service closed the connection")
        except asyncio.CancelledError:
            if not self._late:
                raise
        except Exception as error:  # noqa: BLE001  (each SDK has its own)
            trouble = trouble_of(error)
        task = asyncio.current_task()
        assert task is not None
        if self._late and not task.uncancel():
            said = f"no final {self._line.answer_s:g} s after the end of an utterance"
            trouble = Trouble(Kind.SILENT, said)
        elif task.cancelling():  # an SDK kept it to itself
            raise asyncio.CancelledError
        return trouble

    async def _dial(self) -> Wire:
        try:
            async with asyncio.timeout(self._line.connect_s):
                return await self._line.dial()
        except TimeoutError as error:
            said = f"no connection {self._line.connect_s:g} s after it was asked for"
            raise TroubleError(Kind.LATE, said) from error

    async def _converse(self, wire: Wire) -> bool:
        """Send what is unanswered, and listen; whether nothing more is to be said on this wire."""
        async with aclosing(wire.answers()) as answers:
            try:
                async with self._sending:
                    self._wire = wire
                    await self._replay(wire)
                async for answer in answers:
                    self._take(answer)
                    if self._line.one_utterance and self._answered:
                        return True
                return False
            finally:
                self._wire = None
                self._set_timer()
                await self._let_go(wire)

    async def _replay(self, wire: Wire) -> None:
        self._on_wire, self._given = {}, 0
        for spoken in self._unanswered:
            spoken.sent, spoken.due_s = 0, None
        for spoken in self._unanswered:
            for pcm in spoken.audio:
                await self._give(wire, spoken, pcm)
            if spoken.over_s is not None:
                await self._give_end(wire, spoken)

    async def _now(self, give: Callable[[Wire], Awaitable[None]]) -> None:
        """Give something to the wire, if there is one; else the next one gets it."""
        if self._wire is None:
            return
        try:
            await give(self._wire)
        except Exception as error:  # noqa: BLE001  (each SDK has its own)
            trouble = trouble_of(error)
            if trouble.kind is not Kind.LOST:  # that, who listens finds out too
                self._give_up(trouble, 1)

    async def _give(self, wire: Wire, spoken: Spoken, pcm: bytes) -> None:
        if not spoken.sent:
            self._on_wire[self._given] = spoken
            self._given += 1
        spoken.sent += len(pcm)
        await self._in_time(wire.send(pcm))

    async def _give_end(self, wire: Wire, spoken: Spoken) -> None:
        spoken.due_s = now_s() + self._line.answer_s
        self._set_timer()
        await self._in_time(wire.end_utterance())

    async def _in_time(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._line.answer_s):
                await sending
        except TimeoutError as error:
            said = f"it took no audio for {self._line.answer_s:g} s"
            raise TroubleError(Kind.SILENT, said) from error

    def _give_up(self, trouble: Trouble, attempts: int) -> None:
        self._line.given_up(self._cleaned(trouble), attempts)

    def _cleaned(self, trouble: Trouble) -> Trouble:
        return replace(trouble, said=self._line.clean(trouble.said))

    def _take(self, answer: Answer) -> None:
        if answer.utterance >= self._given:
            raise TroubleError(Kind.NONSENSE, "an answer to something that was never said")
        spoken = self._on_wire.get(answer.utterance)
        if spoken is None:
            return  # it goes on about what is settled
        if answer.is_final:
            if spoken.over_s is None:
                raise TroubleError(Kind.NONSENSE, "a final while the utterance goes on")
            del self._on_wire[answer.utterance]
            self._unanswered.remove(spoken)
            self._answered = True
            self._set_timer()
        self._line.heard(spoken, answer)

    def _set_timer(self) -> None:
        """Wait for the final that is due first, and no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = [spoken.due_s for spoken in self._unanswered if spoken.due_s is not None]
        if due and self._wire is not None:
            self._timer = asyncio.get_running_loop().call_at(min(due), self._time_out)

    def _time_out(self) -> None:
        self._late = True
        if self._wire is not None:
            self._wire.abort()
        self._task.cancel()

    @staticmethod
    async def _let_go(wire: Wire) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await wire.close()
        except BaseException as error:
            wire.abort()
            if not isinstance(error, Exception):
                raise
