"""Several providers behind one another, all of them loaded; which one is at work can be changed.

It is a provider itself, so whatever drives one drives it. A change takes effect in the middle of
a stream: the provider at work is left, which cancels what it was doing, and the one that takes
over hears again what wasn't final yet. A provider that fails is left in the same way, if someone
says who takes over.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import (
    ASRHealth,
    ASRProvider,
    ASRSegment,
    AudioAccount,
    AudioSource,
    SessionConfig,
)
from harness.errors import AudioError, EchobenchError, ProviderError
from harness.ladder.handover import Pull, chunks, until
from harness.ladder.stitched_source import Line
from harness.provider.attribution import provider_errors


@dataclass
class Runner:
    """A provider that can be put to work, with the model that it holds."""

    provider: ASRProvider
    model: str
    streams: int = 0
    """Sources that it is at work on."""
    fresh: asyncio.Task[None] | None = None
    """Starts its next session; it has to have begun anew before it is at work again."""
    failure: EchobenchError | None = None

    @property
    def title(self) -> str:
        """For messages."""
        return f"{self.provider.name} {self.model.rstrip('/').rpartition('/')[2]}"


@dataclass
class Stream:
    """A source that is being streamed."""

    line: Line
    runner: Runner
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when another takes over."""
    done: bool = False
    """Whether a provider has answered to the end of it."""


class Relay(ASRProvider):
    """Puts one of several providers to work.

    Args:
        runners: At least one; the first is at work to begin with.
    """

    name = "relay"  # until it is made

    def __init__(self, runners: Sequence[Runner]) -> None:
        super().__init__()
        self.name = runners[0].provider.name  # type: ignore[misc]
        self.runners, self.at_work = list(runners), runners[0]
        self.on_failure: Callable[[Runner, EchobenchError], Awaitable[None]] = _let_it_be
        """Called when the one at work fails; may `put_to_work` another, and the stream goes on."""
        self._config: SessionConfig | None = None
        self._session_id = ""
        self._lines: dict[AudioSource | None, Line] = {}
        self._streams: dict[AudioSource | None, Stream] = {}

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; starts all of them, so that each is loaded before it is needed."""
        if self._config is not None:
            return False
        self._session_id, self._config, self._lines = session_id, config, {}
        started: list[Runner] = []
        try:
            for runner in self.runners:
                started.append(runner)
                await self._start(runner)
        except BaseException:
            self._config = None
            for runner in started[:-1]:
                await runner.provider.stop_session(session_id)
            raise
        self.at_work = self.runners[0]
        return True

    async def put_to_work(self, runner: Runner) -> None:
        """Let another provider take over all sources; it begins where the last finals ended.

        Raises:
            ProviderError: It can't be started again after an earlier failure.
        """
        if runner.failure is not None:
            self._begin_anew(runner)
        if runner.fresh is not None:
            await runner.fresh
        if runner.failure is not None:
            raise ProviderError(runner.title, "can't take over", str(runner.failure))
        self.at_work = runner
        for stream in self._streams.values():
            if stream.runner is not runner:
                stream.leave.set()

    async def give_up(self, error: EchobenchError) -> None:
        """Treat the provider at work as failed, though it hasn't said so, as when it is stuck."""
        await self._failed(self.at_work, error)

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        if self._config is None:
            raise ProviderError(self.name, "audio without a session", "start_session first")
        if source in self._streams:
            raise ProviderError(self.name, f"source {source or 'default'} is streaming already")
        line = self._lines.setdefault(source, Line(source))
        pull = Pull(pcm_stream, line.heard)
        stream = self._streams[source] = Stream(line, self.at_work)
        try:
            while not stream.done:
                async with contextlib.aclosing(self._leg(stream, pull, sample_rate)) as leg:
                    async for segment in leg:
                        yield segment
            closing = line.closing()
            if closing is not None:
                yield closing
        finally:
            pull.close()
            line.settle()
            line.end_leg(await _account(stream.runner, source))
            del self._streams[source]

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`."""
        stream = self._streams.get(source)
        if stream is None:
            return []
        return [stream.line.moved(final) for final in await stream.runner.provider.flush(source)]

    async def health(self) -> ASRHealth:
        """See `ASRProvider`: that of the one at work, with the accounts of all."""
        health = await _health(self.at_work)
        accounts = {}
        for source, line in self._lines.items():
            stream = self._streams.get(source)
            present = line.base if stream is None else await _account(stream.runner, source)
            accounts[source or "default"] = line.account(present)
        return msgspec.structs.replace(health, audio=accounts)

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        if self._config is None or session_id != self._session_id:
            raise ProviderError(
                self.name, f"asked to stop {session_id!r}", f"{self._session_id!r}, which runs"
            )
        self._config = None
        failures = []
        for runner in self.runners:
            if runner.fresh is not None:
                await runner.fresh
            try:
                await runner.provider.stop_session(session_id)
            except EchobenchError as error:
                if runner.failure is None:  # of one that failed, nothing else was to be expected
                    failures.append(error)
        if failures:
            raise failures[0]

    async def close(self) -> None:
        """See `ASRProvider`."""
        for runner in self.runners:
            await runner.provider.close()

    async def _leg(
        self, stream: Stream, pull: Pull, sample_rate: int
    ) -> AsyncGenerator[ASRSegment]:
        """Let the provider at work answer until the stream ends or another takes over."""
        runner = stream.runner = self.at_work
        source = stream.line.source
        stream.leave.clear()
        runner.streams += 1
        again = stream.line.begin_leg(await _account(runner, source))
        pull.forget()  # it is in what is heard again
        segments = runner.provider.transcribe_stream(chunks(again, pull), sample_rate, source)
        try:
            with provider_errors(f"{runner.title}, source {source or 'default'}"):
                async with contextlib.aclosing(until(segments, stream.leave)) as said:
                    async for segment in said:
                        yield stream.line.moved(segment)
            stream.done = pull.ended and not stream.leave.is_set()
            if not (stream.done or stream.leave.is_set()):
                raise ProviderError(runner.title, "ended its answer while audio went on")
        except AudioError:
            raise
        except EchobenchError as error:
            await self._failed(runner, error)
        finally:
            if not stream.done:
                stream.line.end_leg(await _account(runner, source))
            runner.streams -= 1
            if runner is not self.at_work and not runner.streams and runner.failure is None:
                self._begin_anew(runner)

    async def _failed(self, runner: Runner, error: EchobenchError) -> None:
        """Ask who takes over; raise the error if nobody does."""
        if runner.failure is None:  # else another source has met with it already
            runner.failure = error
            await self.on_failure(runner, error)
        if self.at_work is runner:
            raise error

    def _begin_anew(self, runner: Runner) -> None:
        """Start a new session in the background: cancels what is left, and counts from zero."""
        runner.fresh = asyncio.get_running_loop().create_task(self._restart(runner))

    async def _restart(self, runner: Runner) -> None:
        try:
            with contextlib.suppress(EchobenchError):  # a session that failed may be none any more
                await runner.provider.stop_session(self._session_id)
            await self._start(runner)
        except EchobenchError as error:
            runner.failure = error
        finally:
            runner.fresh = None

    async def _start(self, runner: Runner) -> None:
        assert self._config is not None
        runner.failure = None
        runner.provider.on_inference = lambda span: self.on_inference(span)
        runner.provider.on_interruption = lambda what: self.on_interruption(what)
        config = msgspec.structs.replace(self._config, model=runner.model)
        with provider_errors(runner.title):
            if not await runner.provider.start_session(self._session_id, config):
                raise ProviderError(runner.title, "refused a session while none was running")


async def _let_it_be(runner: Runner, error: EchobenchError) -> None:
    """Nobody takes over."""


async def _health(runner: Runner) -> ASRHealth:
    """A provider's health; that of one that can't even say has only an error in it."""
    try:
        with provider_errors(runner.title):
            return await runner.provider.health()
    except EchobenchError as error:
        return ASRHealth(
            realtime_factor=None,
            avg_infer_ms=None,
            backlog_estimate=0,
            model_resident=False,
            last_error=str(error),
        )


async def _account(runner: Runner, source: AudioSource | None) -> AudioAccount:
    """A provider's own account; nothing was dealt with as far as one that broke down can tell."""
    return (await _health(runner)).audio.get(source or "default", AudioAccount())
