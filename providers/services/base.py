"""Recognises speech through a network service, with one connection per source.

A provider wraps its vendor's SDK as `ServiceConnection`s. This module is the common part: speech is
found by energy and sent as it is spoken, without silence; each phase has a timeout; each retry is
reported; API keys come from the environment and are never stored.
"""

import asyncio
import logging
import os
from abc import abstractmethod
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from msgspec import Meta

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.clock import ClockKind, now_s
from harness.contract import InferenceSpan, Interruption, ProviderSettings, SessionConfig, Sharing
from harness.errors import UsageError
from providers.services.connection import Answer, ServiceConnection
from providers.services.failures import ServiceFailure, failure_of
from providers.services.resilient_stream import (
    CallSettings,
    PendingUtterance,
    ResilientStream,
    RetryWait,
)
from providers.services.retries import RetryPolicy, final_error
from providers.streaming.feedthrough import (
    EngineStream,
    EngineText,
    FeedThroughProvider,
    FeedThroughStream,
)

MESSAGE = 2 * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE
"""Maximum bytes of audio per message; services reject longer ones."""
MAX_UNANSWERED = 4
"""Utterances without a final at which no further one is sent until the service catches up."""
PLACEHOLDER = "…"

Seconds = Annotated[float, Meta(gt=0, le=3600)]


class ServiceSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options that all services have."""

    base_url: str | None = None
    """The service's address; the default is that of the vendor's SDK."""
    price_per_audio_minute: Annotated[float, Meta(ge=0)] | None = None
    """In any currency; turns into the metric `cost_per_audio_hour`."""
    attempts: Annotated[int, Meta(ge=1, le=100)] = 5
    """Maximum number of successive attempts at something that fails."""
    longest_wait_s: Seconds = 30.0
    """Limit of the total wait between successive attempts."""
    connect_s: Seconds = 10.0
    """Timeout for a connection to be ready."""
    answer_s: Seconds = 30.0
    """Timeout for a final after the end of its utterance."""

    def __post_init__(self) -> None:
        if self.base_url is not None:
            check_url(self.base_url)


class ServiceProvider(FeedThroughProvider):
    """Base of service providers; a subclass defines the SDK's client and how to `dial`.

    Attributes:
        key_variable: The environment variable with the key.
        url_variable: The environment variable with the base URL, where the SDK has one.
        one_utterance: Whether a connection carries a single utterance.
    """

    Settings = ServiceSettings
    settings: ServiceSettings
    clocks: ClassVar[frozenset[ClockKind]] = frozenset({ClockKind.WALL})
    costs_money: ClassVar[bool] = True
    sharing: ClassVar[Sharing] = Sharing.SERVICE
    key_variable: ClassVar[str]
    url_variable: ClassVar[str | None] = None
    one_utterance: bool = False

    @abstractmethod
    def import_sdk(self) -> None:
        """Import the modules that take long to import; blocking."""

    @abstractmethod
    def make_client(self) -> Any:
        """Create the SDK's client, with its own retries off; blocking."""

    @abstractmethod
    async def close_client(self, client: Any) -> None:
        """Close the SDK's client."""

    @abstractmethod
    async def dial(self, client: Any, config: SessionConfig) -> ServiceConnection:
        """Open a connection that is ready for audio; cancelled when it takes too long."""

    @abstractmethod
    def sdk_failure(self, error: BaseException) -> ServiceFailure | None:
        """Classify one of the SDK's own exceptions; None for any other."""

    @property
    def key(self) -> str:
        """The API key; only for the SDK's client."""
        return os.environ.get(self.key_variable, "").strip()

    @property
    def base_url(self) -> str | None:
        """The service's address, by option or environment; None for the vendor's own."""
        variable = os.environ.get(self.url_variable) if self.url_variable else None
        return self.settings.base_url or variable or None

    def clean(self, text: str) -> str:
        """Remove the key from a text, since services quote it."""
        return text.replace(self.key, PLACEHOLDER) if self.key else text

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`; the model stays with the service."""
        if self.base_url is not None:
            try:
                check_url(self.base_url)
            except ValueError as error:
                raise UsageError(f"{self.url_variable}", str(error)) from None
        self.import_sdk()
        for library in ("websockets", "httpcore2"):  # at DEBUG they log whole requests
            logging.getLogger(library).setLevel(logging.INFO)

    def unload(self) -> None:
        """See `ResidentProvider`."""

    def note_inference(self, listener: FeedThroughStream, begin_s: float, samples: int) -> None:
        """Report a final as an inference: the time since the end of its utterance was sent."""
        span = InferenceSpan(listener.source, begin_s, now_s(), samples / SAMPLE_RATE_HZ)
        self.inferred(listener.session, span)

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        """See `FeedThroughProvider`."""
        return ServiceStream(self, listener, await asyncio.to_thread(self.make_client))


class ServiceStream(EngineStream):
    """One source's utterances, on one resilient stream or on one each."""

    confirms = True

    def __init__(self, provider: ServiceProvider, listener: FeedThroughStream, client: Any) -> None:
        self._provider, self._listener, self._client = provider, listener, client
        settings = provider.settings
        self._call_settings = CallSettings(
            dial=lambda: provider.dial(client, listener.session.config),
            retry_policy=RetryPolicy(settings.attempts, settings.longest_wait_s),
            connect_s=settings.connect_s,
            answer_s=settings.answer_s,
            one_utterance=provider.one_utterance,
            failure_of=lambda error: failure_of(error, provider.sdk_failure),
            clean=provider.clean,
            on_answer=self._on_answer,
            on_wait=self._on_wait,
            exhausted=self._on_exhausted,
        )
        self._calls = [] if provider.one_utterance else [ResilientStream(self._call_settings)]
        self._open: PendingUtterance | None = None
        self._count = self._unanswered = 0
        self._progress = asyncio.Event()
        self._failure: Exception | None = None

    async def feed(self, samples: Samples) -> None:
        """See `EngineStream`."""
        if self._open is None:
            await self._until(MAX_UNANSWERED - 1)
            self._open = PendingUtterance(self._count)
            self._count += 1
            self._unanswered += 1
            self._listener.session.waiting += 1
            if self._provider.one_utterance:
                self._calls = [call for call in self._calls if not call.is_over]
                self._calls.append(ResilientStream(self._call_settings))
        pcm = to_pcm16(samples).astype("<i2", copy=False).tobytes()
        for at in range(0, len(pcm), MESSAGE):
            await self._calls[-1].feed(self._open, pcm[at : at + MESSAGE])

    async def end_utterance(self) -> None:
        """See `EngineStream`."""
        if self._open is not None:
            pending, self._open = self._open, None
            await self._calls[-1].end(pending)

    async def flush(self) -> None:
        """See `EngineStream`."""
        await self._until(0)

    async def close(self) -> None:
        """See `EngineStream`."""
        await asyncio.gather(*(call.close() for call in self._calls))
        self._listener.session.waiting -= self._unanswered
        await self._provider.close_client(self._client)

    async def _until(self, unanswered: int) -> None:
        """Wait until at most `unanswered` utterances are without a final."""
        while self._unanswered > unanswered and self._failure is None:
            self._progress.clear()
            await self._progress.wait()
        if self._failure is not None:
            raise self._failure

    def _on_answer(self, pending: PendingUtterance, answer: Answer) -> None:
        self._listener.on_text(EngineText(answer.text, answer.is_final, utterance=pending.number))
        if answer.is_final and pending.over_s is not None:
            self._listener.confirm(pending.samples)
            self._provider.note_inference(self._listener, pending.over_s, pending.samples)
            self._unanswered -= 1
            self._listener.session.waiting -= 1
            self._progress.set()

    def _on_wait(self, wait: RetryWait) -> None:
        session = self._listener.session
        session.last_error = wait.failure.message
        session.config.observer.interrupted(
            Interruption(
                source=self._listener.source,
                reason=wait.failure.message,
                attempt=wait.attempts,
                begin_s=wait.begin_s,
                end_s=wait.end_s,
                replayed_s=wait.replayed_s,
            )
        )

    def _on_exhausted(self, failure: ServiceFailure, attempts: int) -> None:
        where = self._provider.describe(self._listener.source)
        error = final_error(where, failure, attempts, self._provider.key_variable)
        self._failure = self._failure or error
        self._progress.set()
        self._listener.fail(self._failure)


def check_url(url: str) -> None:
    """Reject an invalid base URL, or one with a secret, since it is written into reports.

    Raises:
        ValueError: With the reason, and without the URL.

    >>> check_url("https://user:pass@example.org/v1")
    Traceback (most recent call last):
    ...
    ValueError: a base URL with a user, a query or a fragment; allowed: https://host/path
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no base URL; allowed: https://host/path")
    if "@" in parts.netloc or parts.query or parts.fragment:
        problem = "a base URL with a user, a query or a fragment; allowed: https://host/path"
        raise ValueError(problem)
