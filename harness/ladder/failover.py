"""A provider made of several loaded ones, between which it can switch in the middle of a stream.

A switch cancels the stream of the active provider; the next one gets the audio that wasn't final
yet once more. A failure of the active provider is handled in the same way if `on_failure` switches
to another one.
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
from harness.ladder.stitched_source import StitchedSource
from harness.provider.attribution import provider_errors
from harness.session.session import start_session


@dataclass
class Member:
    """A provider that can become the active one, with its model."""

    provider: ASRProvider
    model: str
    streams: int = 0
    """Number of sources that it is streaming."""
    restart: asyncio.Task[None] | None = None
    """Restarts its session; must be done before it becomes active again."""
    failure: EchobenchError | None = None

    @property
    def title(self) -> str:
        """The provider and the model's file name, for messages."""
        return f"{self.provider.name} {self.model.rstrip('/').rpartition('/')[2]}"


@dataclass
class Stream:
    """A source that is being streamed."""

    stitched: StitchedSource
    member: Member
    switched: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when another provider takes over."""
    done: bool = False
    """Whether a provider has answered to the end of the stream."""


class FailoverProvider(ASRProvider):
    """Streams to one of several providers, the active one.

    Args:
        members: At least one; the first is active at the start.
    """

    name = "failover"  # a class needs a name; each instance has its provider's

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.name = members[0].provider.name  # type: ignore[misc]
        self.members, self.active = list(members), members[0]
        self.on_failure: Callable[[Member, EchobenchError], Awaitable[None]] = _no_takeover
        """Called when the active one fails; may `switch_to` another, which continues the stream."""
        self._config: SessionConfig | None = None
        self._session_id = ""
        self._stitched: dict[AudioSource | None, StitchedSource] = {}
        self._streams: dict[AudioSource | None, Stream] = {}

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; starts all members, so that each is loaded before it is needed."""
        if self._config is not None:
            return False
        self._session_id, self._config, self._stitched = session_id, config, {}
        started: list[Member] = []
        try:
            for member in self.members:
                started.append(member)
                await self._start(member)
        except BaseException:
            self._config = None
            for member in started[:-1]:
                await member.provider.stop_session(session_id)
            raise
        self.active = self.members[0]
        return True

    async def switch_to(self, member: Member) -> None:
        """Let another provider take over all sources from the end of their last finals.

        Raises:
            ProviderError: It failed earlier and can't be restarted.
        """
        if member.failure is not None:
            self._restart_later(member)
        if member.restart is not None:
            await member.restart
        if member.failure is not None:
            raise ProviderError(member.title, "can't take over", str(member.failure))
        self.active = member
        for stream in self._streams.values():
            if stream.member is not member:
                stream.switched.set()

    async def give_up(self, error: EchobenchError) -> None:
        """Treat the active provider as failed without an error of its own, as when it is stuck."""
        await self._failed(self.active, error)

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
        stitched = self._stitched.setdefault(source, StitchedSource(source))
        pull = Pull(pcm_stream, stitched.keep)
        stream = self._streams[source] = Stream(stitched, self.active)
        try:
            while not stream.done:
                async with contextlib.aclosing(self._stretch(stream, pull, sample_rate)) as stretch:
                    async for segment in stretch:
                        yield segment
            closing = stitched.closing()
            if closing is not None:
                yield closing
        finally:
            pull.close()
            stitched.settle()
            stitched.end_stretch(await _account(stream.member, source))
            del self._streams[source]

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`."""
        stream = self._streams.get(source)
        if stream is None:
            return []
        return [
            stream.stitched.moved(final) for final in await stream.member.provider.flush(source)
        ]

    async def health(self) -> ASRHealth:
        """See `ASRProvider`: the active provider's health, with the accounts of all."""
        health = await _health(self.active)
        accounts = {}
        for source, stitched in self._stitched.items():
            stream = self._streams.get(source)
            present = stitched.base if stream is None else await _account(stream.member, source)
            accounts[source or "default"] = stitched.account(present)
        return msgspec.structs.replace(health, audio=accounts)

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        if self._config is None or session_id != self._session_id:
            raise ProviderError(
                self.name, f"asked to stop {session_id!r}", f"{self._session_id!r}, which runs"
            )
        self._config = None
        failures = []
        for member in self.members:
            if member.restart is not None:
                await member.restart
            try:
                await member.provider.stop_session(session_id)
            except EchobenchError as error:
                if member.failure is None:  # a failed one may well fail to stop
                    failures.append(error)
        if failures:
            raise failures[0]

    async def close(self) -> None:
        """See `ASRProvider`."""
        for member in self.members:
            await member.provider.close()

    async def _stretch(
        self, stream: Stream, pull: Pull, sample_rate: int
    ) -> AsyncGenerator[ASRSegment]:
        """Stream to the active provider until the stream ends or another provider takes over."""
        member = stream.member = self.active
        source = stream.stitched.source
        stream.switched.clear()
        member.streams += 1
        replay = stream.stitched.begin_stretch(await _account(member, source))
        pull.forget()  # that chunk is part of the replay
        segments = member.provider.transcribe_stream(chunks(replay, pull), sample_rate, source)
        try:
            with provider_errors(f"{member.title}, source {source or 'default'}"):
                async with contextlib.aclosing(until(segments, stream.switched)) as answers:
                    async for segment in answers:
                        yield stream.stitched.moved(segment)
            stream.done = pull.ended and not stream.switched.is_set()
            if not (stream.done or stream.switched.is_set()):
                raise ProviderError(member.title, "ended its answer while audio went on")
        except AudioError:
            raise
        except EchobenchError as error:
            await self._failed(member, error)
        finally:
            if not stream.done:
                stream.stitched.end_stretch(await _account(member, source))
            member.streams -= 1
            if member is not self.active and not member.streams and member.failure is None:
                self._restart_later(member)

    async def _failed(self, member: Member, error: EchobenchError) -> None:
        """Call `on_failure`; raise the error if no other provider took over."""
        if member.failure is None:  # else another source has reported it already
            member.failure = error
            await self.on_failure(member, error)
        if self.active is member:
            raise error

    def _restart_later(self, member: Member) -> None:
        """Restart the session in the background: cancels pending work, and counts from zero."""
        member.restart = asyncio.get_running_loop().create_task(self._restart(member))

    async def _restart(self, member: Member) -> None:
        try:
            with contextlib.suppress(EchobenchError):  # a failed session may be gone already
                await member.provider.stop_session(self._session_id)
            await self._start(member)
        except EchobenchError as error:
            member.failure = error
        finally:
            member.restart = None

    async def _start(self, member: Member) -> None:
        assert self._config is not None
        member.failure = None
        config = msgspec.structs.replace(self._config, model=member.model)
        await start_session(member.provider, self._session_id, config, member.title)


async def _no_takeover(member: Member, error: EchobenchError) -> None:
    """Let the failure end the session."""


async def _health(member: Member) -> ASRHealth:
    """A provider's health; only an error where asking for it fails."""
    try:
        with provider_errors(member.title):
            return await member.provider.health()
    except EchobenchError as error:
        return ASRHealth(
            realtime_factor=None,
            avg_infer_ms=None,
            backlog_estimate=0,
            model_resident=False,
            last_error=str(error),
        )


async def _account(member: Member, source: AudioSource | None) -> AudioAccount:
    """A provider's own account of a source; an empty one where it can't give one."""
    return (await _health(member)).audio.get(source or "default", AudioAccount())
