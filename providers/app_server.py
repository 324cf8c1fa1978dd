"""Measures an app's own captioning server from outside, over its WebSocket.

An adapter file describes the server's protocol. The server's engine can't be observed, so there is
no real-time factor, and audio counts as decoded once it has been sent. Use small chunks, as the app
would: --chunk-seconds 0.1.
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
    """The adapter file, which describes the server's protocol."""
    open_s: Seconds = 10.0
    """Timeout for the server to be ready for audio."""
    finish_s: Seconds = 30.0
    """Timeout for the last text, after the last audio."""


@dataclass(frozen=True)
class AdapterFile(Requirement):
    """Requires that an adapter file is named."""

    path: str

    def missing(self) -> str | None:
        """See `Requirement`."""
        return None if self.path else "an adapter file that describes your server's protocol"

    def remedy(self) -> str:
        """See `Requirement`."""
        return "--provider app_server:adapter=suites/adapters/echopanel.toml"


@dataclass
class AppSource:
    """One source's segments from the server, and the account of the audio sent."""

    source: AudioSource | None
    results: asyncio.Queue[ASRSegment | EchobenchError | None] = field(
        default_factory=asyncio.Queue
    )
    account: AudioAccount = field(default_factory=AudioAccount)
    segment_id: int = 0
    revision: int = 0
    final_t1: float = 0.0

    def segment(self, received: ServerText) -> ASRSegment:
        """Turn a text from the server into a segment; the session checks its values."""
        sent_s = self.account.received / SAMPLE_RATE_HZ
        segment = ASRSegment(
            source=self.source,
            segment_id=self.segment_id,
            revision=self.revision,
            is_final=received.is_final,
            text=received.text,
            t0=self.final_t1 if received.t0 is None else received.t0,
            t1=sent_s if received.t1 is None else received.t1,
        )
        self.revision += 1
        if received.is_final:
            self.segment_id, self.revision, self.final_t1 = self.segment_id + 1, 0, segment.t1
        return segment


class AppServer(ASRProvider):
    """A captioning server; one connection per session carries all sources, as in an app."""

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
        return (AdapterFile(self.settings.adapter),)

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
                self._link = await AppLink.open(adapter)
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
        """See `ASRProvider`; the streams of all sources end together."""
        link = self._check(source, sample_rate)
        state = self._sources.setdefault(source, AppSource(source))
        self._sending.add(source)
        sending = asyncio.create_task(self._send(link, state, pcm_stream))
        try:
            while (result := await state.results.get()) is not None:
                if isinstance(result, EchobenchError):
                    raise result
                yield result
        finally:
            self._sending.discard(source)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`; the protocol has no flush."""
        return []

    async def health(self) -> ASRHealth:
        """See `ASRProvider`; figures from inside the server are unknown."""
        return ASRHealth(
            realtime_factor=None,
            avg_infer_ms=None,
            backlog_estimate=0,
            model_resident=self._link is not None,
            last_error=str(self._failure) if self._failure else None,
            audio={source or "default": msgspec.structs.replace(state.account)
                   for source, state in self._sources.items()},
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
            raise ProviderError(where, "is streaming already", "one stream per source")
        if sample_rate != SAMPLE_RATE_HZ:
            raise AudioError(where, f"{sample_rate} Hz", f"{SAMPLE_RATE_HZ} Hz")
        known = self._link.adapter.sources
        if source is not None and source not in known:
            raise ProviderError(where, "the server knows no such source", ", ".join(known))
        if self._failure is not None:
            raise self._failure
        return self._link

    async def _send(
        self, link: AppLink, state: AppSource, pcm_stream: AsyncIterator[bytes]
    ) -> None:
        """Send a source's audio; the last source to end also ends the server's session."""
        named = state.source or next(iter(link.adapter.sources))
        try:
            async for pcm in pcm_stream:
                if not isinstance(pcm, bytes) or not pcm or len(pcm) % BYTES_PER_SAMPLE:
                    given = f"{len(pcm)} bytes" if isinstance(pcm, bytes) else type(pcm).__name__
                    allowed = "2, 4, 6, … bytes of 16-bit mono PCM"
                    raise AudioError(f"{self.name}, source {named}", given, allowed)
                state.account.received += len(pcm) // BYTES_PER_SAMPLE
                await link.send(named, pcm)
                state.account.decoded = state.account.received
            self._sending.discard(state.source)
            if not self._sending:
                await link.end()
                await asyncio.sleep(self.settings.finish_s)
                problem = f"had not ended {self.settings.finish_s:g} s after the last audio"
                self._end(ProviderError(link.adapter.url, problem))
        except EchobenchError as error:
            state.account.dropped = state.account.pending
            state.results.put_nowait(error)

    async def _read(self, link: AppLink) -> None:
        """Pass the server's texts on to their sources until the session ends."""
        failure: EchobenchError | None = None
        try:
            async for received in link.texts():
                state = self._sources.get(received.source, self._sources.get(None))
                if state is None:
                    problem = f"sent text for source {received.named!r}, which sent no audio"
                    raise ProviderError(link.adapter.url, problem)
                state.results.put_nowait(state.segment(received))
        except EchobenchError as error:
            failure = error
        self._end(failure)

    def _end(self, failure: EchobenchError | None) -> None:
        """End the streams of all sources, with an error if there was one."""
        self._failure = failure
        for state in self._sources.values():
            state.results.put_nowait(failure)


PROVIDER = AppServer
