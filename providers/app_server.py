"""An app's own captioning server, measured from outside over its WebSocket.

An adapter's file says how it is talked to. Its engine can't be seen, so there is no real-time
factor; audio counts as decoded when the server has it, which is all that is known. Give it small
chunks, as the app would: --chunk-seconds 0.1.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import (
    ASRHealth,
    ASRProvider,
    ASRSegment,
    AudioAccount,
    AudioSource,
    ProviderSettings,
    SessionConfig,
)
from harness.errors import AudioError, EchobenchError, ProviderError, UnavailableError
from harness.requirements import Requirement
from providers.app.adapter import read_adapter
from providers.app.connection import AppLink, ServerText

Seconds = Annotated[float, Meta(gt=0, le=600)]


class AppServerSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `app_server`."""

    adapter: str = ""
    """The file that says how the server is talked to."""
    open_s: Seconds = 10.0
    """For it to be ready for audio."""
    finish_s: Seconds = 30.0
    """For the last text, after the last audio."""


@dataclass(frozen=True)
class AdapterGiven(Requirement):
    """A file that says how the server is talked to."""

    path: str

    def missing(self) -> str | None:
        """Tell whether one was given."""
        return None if self.path else "a file that says how your server is talked to"

    def remedy(self) -> str:
        """Which to begin with."""
        return "--provider app_server:adapter=suites/adapters/echopanel.toml"


@dataclass
class AppSource:
    """What the server said about one source, and what it was sent."""

    source: AudioSource | None
    said: asyncio.Queue[ASRSegment | EchobenchError | None] = field(default_factory=asyncio.Queue)
    account: AudioAccount = field(default_factory=AudioAccount)
    segment_id: int = 0
    revision: int = 0
    final_t1: float = 0.0

    def segment(self, heard: ServerText) -> ASRSegment:
        """What the server said, in the contract's form; whoever listens checks it."""
        heard_s = self.account.received / SAMPLE_RATE_HZ
        segment = ASRSegment(
            source=self.source,
            segment_id=self.segment_id,
            revision=self.revision,
            is_final=heard.is_final,
            text=heard.text,
            t0=self.final_t1 if heard.t0 is None else heard.t0,
            t1=heard_s if heard.t1 is None else heard.t1,
        )
        self.revision += 1
        if heard.is_final:
            self.segment_id, self.revision, self.final_t1 = self.segment_id + 1, 0, segment.t1
        return segment


class AppServer(ASRProvider):
    """One connection a session, for all its sources, as an app has it."""

    name = "app_server"
    Settings = AppServerSettings
    settings: AppServerSettings
    default_model = "its own"
    clocks = frozenset({ClockKind.WALL})

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._session: str | None = None
        self._link: AppLink | None = None
        self._reading: asyncio.Task[None] | None = None
        self._sources: dict[AudioSource | None, AppSource] = {}
        self._sending: set[AudioSource | None] = set()
        self._failure: EchobenchError | None = None

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return (AdapterGiven(self.settings.adapter),)

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; connects, and waits until the server is ready for audio."""
        if self._session is not None:
            return False
        for need in self.requires:
            if (missing := need.missing()) is not None:
                raise UnavailableError(self.name, f"lacks {missing}", need.remedy())
        adapter = read_adapter(Path(self.settings.adapter))
        try:
            async with asyncio.timeout(self.settings.open_s):
                self._link = await AppLink.opened(adapter)
        except TimeoutError as error:
            problem = f"was not ready for audio within {self.settings.open_s:g} s"
            raise ProviderError(adapter.url, problem) from error
        self._session, self._failure = session_id, None
        self._sources, self._sending = {}, set()
        self._reading = asyncio.create_task(self._read(self._link))
        return True

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`; a source's stream ends with those of all others."""
        link = self._check(source, sample_rate)
        spoken = self._sources.setdefault(source, AppSource(source))
        self._sending.add(source)
        sending = asyncio.create_task(self._send(link, spoken, pcm_stream))
        try:
            while (said := await spoken.said.get()) is not None:
                if isinstance(said, EchobenchError):
                    raise said
                yield said
        finally:
            self._sending.discard(source)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`; there is no way to ask a server for it."""
        return []

    async def health(self) -> ASRHealth:
        """See `ASRProvider`; what happens inside the server isn't known."""
        return ASRHealth(
            realtime_factor=None,
            avg_infer_ms=None,
            backlog_estimate=0,
            model_resident=self._link is not None,
            last_error=str(self._failure) if self._failure else None,
            audio={source or "default": msgspec.structs.replace(spoken.account)
                   for source, spoken in self._sources.items()},
        )  # fmt: skip

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        if session_id != self._session:
            raise ProviderError(
                self.name, f"asked to stop {session_id!r}", f"{self._session!r}, which is running"
            )
        await self.close()

    async def close(self) -> None:
        """See `ASRProvider`."""
        self._session = None
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None
        if self._link is not None:
            await self._link.close()
            self._link = None

    def _check(self, source: AudioSource | None, sample_rate: int) -> AppLink:
        where = f"{self.name}, source {source or 'default'}"
        if self._link is None:
            raise ProviderError(where, "audio without a session", "start_session first")
        if source in self._sending:
            raise ProviderError(where, "is streaming already", "one stream a source")
        if sample_rate != SAMPLE_RATE_HZ:
            raise AudioError(where, f"{sample_rate} Hz", f"{SAMPLE_RATE_HZ} Hz")
        known = self._link.adapter.sources
        if source is not None and source not in known:
            raise ProviderError(where, "the server knows no such source", ", ".join(known))
        if self._failure is not None:
            raise self._failure
        return self._link

    async def _send(
        self, link: AppLink, spoken: AppSource, pcm_stream: AsyncIterator[bytes]
    ) -> None:
        """Send a source's audio; the last source to end ends the session over there."""
        named = spoken.source or next(iter(link.adapter.sources))
        try:
            async for pcm in pcm_stream:
                if not isinstance(pcm, bytes) or not pcm or len(pcm) % BYTES_PER_SAMPLE:
                    given = f"{len(pcm)} bytes" if isinstance(pcm, bytes) else type(pcm).__name__
                    allowed = "2, 4, 6, … bytes of 16-bit mono PCM"
                    raise AudioError(f"{self.name}, source {named}", given, allowed)
                spoken.account.received += len(pcm) // BYTES_PER_SAMPLE
                await link.send(named, pcm)
                spoken.account.decoded = spoken.account.received
            self._sending.discard(spoken.source)
            if not self._sending:
                await link.end()
                await asyncio.sleep(self.settings.finish_s)
                problem = f"had not ended {self.settings.finish_s:g} s after the last audio"
                self._end(ProviderError(link.adapter.url, problem))
        except EchobenchError as error:
            spoken.account.dropped = spoken.account.pending
            spoken.said.put_nowait(error)

    async def _read(self, link: AppLink) -> None:
        """Hand on what the server says, to its end."""
        failure: EchobenchError | None = None
        try:
            async for heard in link.texts():
                spoken = self._sources.get(heard.source, self._sources.get(None))
                if spoken is None:
                    problem = f"text about {heard.named!r}, of which it heard nothing"
                    raise ProviderError(link.adapter.url, problem)
                spoken.said.put_nowait(spoken.segment(heard))
        except EchobenchError as error:
            failure = error
        self._end(failure)

    def _end(self, failure: EchobenchError | None) -> None:
        """Nothing follows, for any source."""
        self._failure = failure
        for spoken in self._sources.values():
            spoken.said.put_nowait(failure)


PROVIDER = AppServer
