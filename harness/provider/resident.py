"""Base class of resident providers: loads an engine once, for all sessions."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

import msgspec

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import now_s
from harness.contract import (
    ASRHealth,
    ASRProvider,
    AudioAccount,
    AudioSource,
    InferenceSpan,
    ProviderSettings,
    SessionConfig,
)
from harness.errors import AudioError, ProviderError, UnavailableError

T = TypeVar("T")


@dataclass
class Session:
    """The state of the running session."""

    session_id: str
    config: SessionConfig
    audio: dict[AudioSource | None, AudioAccount] = field(default_factory=dict)
    streaming: set[AudioSource | None] = field(default_factory=set)
    waiting: int = 0
    infer_s: float = 0.0
    inferences: int = 0
    last_error: str | None = None


class ResidentProvider(ASRProvider):
    """Runs all calls of an engine on one thread, in the order of the requests.

    A subclass implements `load`, `unload` and the streaming.
    """

    stop_bound_s: ClassVar[float] = 10.0
    """How long `stop_session` waits for the engine's current call."""

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.name)
        self._resident: str | None = None
        self._session: Session | None = None
        self._starting = False

    @abstractmethod
    def load(self, config: SessionConfig) -> None:
        """Load the model that the configuration names; blocking, on the model's thread."""

    @abstractmethod
    def unload(self) -> None:
        """Release the model; on the model's thread."""

    def interrupt(self, stop: bool) -> None:
        """Ask the engine to abort its current call (`stop`), or to accept calls again."""

    async def end_streams(self, session: Session) -> None:
        """End the streams of a session that has just been stopped."""

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; another model than the resident one replaces it."""
        if self._session is not None or self._starting:
            return False
        self._starting = True
        try:
            await self._make_resident(config)
        finally:
            self._starting = False
        self.interrupt(stop=False)
        self._session = Session(session_id, config)
        return True

    async def _make_resident(self, config: SessionConfig) -> None:
        for requirement in self.requires:
            if requirement.for_default_model and config.model != self.default_model:
                continue
            if (missing := requirement.missing()) is not None:
                raise UnavailableError(self.name, f"lacks {missing}", requirement.remedy())
        if self._resident != config.model:
            await self._unload()  # first, so that two models never need memory at once
            await asyncio.get_running_loop().run_in_executor(self._thread, self.load, config)
            self._resident = config.model

    async def _unload(self) -> None:
        if self._resident is not None:
            self._resident = None
            await asyncio.get_running_loop().run_in_executor(self._thread, self.unload)

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`; waits for the engine's current call."""
        running = self._session.session_id if self._session else None
        if session_id != running:
            raise ProviderError(
                self.name, f"asked to stop {session_id!r}", f"{running!r}, which is running"
            )
        session, self._session = self._session, None
        assert session is not None
        self.interrupt(stop=True)
        try:
            async with asyncio.timeout(self.stop_bound_s):
                await self.end_streams(session)
                await asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
        except TimeoutError as error:
            problem = f"the engine was still busy {self.stop_bound_s:g} s after the stop"
            raise ProviderError(self.name, problem) from error

    async def health(self) -> ASRHealth:
        """See `ASRProvider`."""
        session = self._session or Session("", SessionConfig(model=self.default_model))
        settled = sum(account.decoded + account.skipped for account in session.audio.values())
        return ASRHealth(
            realtime_factor=session.infer_s * SAMPLE_RATE_HZ / settled if settled else None,
            avg_infer_ms=(
                1000 * session.infer_s / session.inferences if session.inferences else None
            ),
            backlog_estimate=session.waiting,
            model_resident=self._resident is not None,
            last_error=session.last_error,
            audio={
                source or "default": msgspec.structs.replace(account)  # a copy: it keeps counting
                for source, account in session.audio.items()
            },
        )

    async def close(self) -> None:
        """See `ASRProvider`."""
        await self._unload()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def infer(
        self, session: Session, source: AudioSource | None, window_s: float, call: Callable[[], T]
    ) -> T:
        """Run one call of the engine on the model's thread, and report when it ran.

        Args:
            session: The session that it belongs to.
            source: The source of the audio.
            window_s: Seconds of audio that the engine decodes.
            call: The call; blocking, and it should release the interpreter lock.

        Raises:
            ProviderError: The engine raised.
        """
        loop = asyncio.get_running_loop()

        def timed() -> T:
            begin_s = loop.time()
            try:
                return call()
            finally:
                self.inferred(session, InferenceSpan(source, begin_s, loop.time(), window_s))

        session.waiting += 1
        try:
            return await loop.run_in_executor(self._thread, timed)
        except Exception as error:
            session.last_error = f"{type(error).__name__}: {error}"
            raise ProviderError(self.name, f"the engine failed ({session.last_error})") from error
        finally:
            session.waiting -= 1

    async def infer_outside(
        self, session: Session, source: AudioSource | None, window_s: float, answer: Awaitable[T]
    ) -> T:
        """Wait for one call of an engine in another process, and report when it ran."""
        session.waiting += 1
        begin_s = now_s()
        try:
            return await answer
        finally:
            session.waiting -= 1
            self.inferred(session, InferenceSpan(source, begin_s, now_s(), window_s))

    def inferred(self, session: Session, span: InferenceSpan) -> None:
        """Count and report a call of an engine; `infer` and `infer_outside` call it themselves."""
        session.infer_s += span.end_s - span.begin_s
        session.inferences += 1
        session.config.observer.inferred(span)

    def open_stream(self, source: AudioSource | None, sample_rate: int) -> Session:
        """Begin a source's stream, and return the session that it belongs to.

        Raises:
            ProviderError: No session is running, or the source is already streaming.
            AudioError: The sample rate isn't 16 kHz.
        """
        where = self.describe(source)
        if self._session is None:
            raise ProviderError(where, "audio without a session", "start_session first")
        if source in self._session.streaming:
            raise ProviderError(where, "is streaming already", "one stream per source")
        if sample_rate != SAMPLE_RATE_HZ:
            raise AudioError(where, f"{sample_rate} Hz", f"{SAMPLE_RATE_HZ} Hz")
        self._session.streaming.add(source)
        self._session.audio.setdefault(source, AudioAccount())
        return self._session

    def check_running(self, session: Session, source: AudioSource | None) -> None:
        """Raise `ProviderError` when the session has been stopped."""
        if self._session is not session:
            raise ProviderError(self.describe(source), "the session was stopped")

    def describe(self, source: AudioSource | None) -> str:
        """Name the provider and the source, for messages."""
        return f"{self.name}, source {source or 'default'}"
