"""Distil-Whisper (English only, few decoder layers) on whisper.cpp or faster-whisper."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from harness.audio import Samples
from harness.contract import SessionConfig, Word
from harness.requirements import ModelName, Requirement
from providers.faster_whisper import FasterWhisper, FasterWhisperSettings
from providers.models import hub
from providers.whisper.base import WhisperProvider, WhisperSettings
from providers.whisper.models import DISTILLED
from providers.whisper_cpp import WhisperCpp, WhisperCppSettings


class DistilWhisperSettings(WhisperSettings, frozen=True, kw_only=True):
    """Options of `distil_whisper`; the engines' own providers take its models and more options."""

    engine: Literal["whisper_cpp", "faster_whisper"] = "whisper_cpp"
    threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """CPU threads; when not given, the physical cores, at most 4."""


def _whisper_cpp(settings: DistilWhisperSettings) -> WhisperProvider:
    options = WhisperCppSettings(n_threads=settings.threads, short_context=settings.short_context)
    return WhisperCpp(options)


def _faster_whisper(settings: DistilWhisperSettings) -> WhisperProvider:
    options = FasterWhisperSettings(
        cpu_threads=settings.threads, short_context=settings.short_context
    )
    return FasterWhisper(options)


ENGINES: dict[str, Callable[[DistilWhisperSettings], WhisperProvider]] = {
    "whisper_cpp": _whisper_cpp,
    "faster_whisper": _faster_whisper,
}


class DistilWhisper(WhisperProvider):
    """Distil-Whisper models, decoded by the engine of another Whisper provider."""

    name = "distil_whisper"
    Settings = DistilWhisperSettings
    settings: DistilWhisperSettings
    default_model = "unnamed"  # none is small enough to fetch by default

    def __init__(self, settings: DistilWhisperSettings | None = None) -> None:
        super().__init__(settings)
        self._engine = ENGINES[self.settings.engine](self.settings)

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`; the engine's requirements, and a model's name."""
        return (*self._engine.requires, ModelName("a Distil-Whisper model", "distil-small.en"))

    def locate_model(self, model: str) -> Path | None:
        """See `ASRProvider`; the embedded model is allowed too, for tests without downloads."""
        self._check_name(model)
        return self._engine.locate_model(model)

    def _check_name(self, model: str) -> None:
        is_name = model != hub.EMBEDDED and "/" not in model and not hub.is_path(model)
        if is_name:
            hub.known(model, [*DISTILLED], self.name)

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        self._check_name(config.model)
        self.prepare(config)
        self._engine.load(config)

    def unload(self) -> None:
        """See `ResidentProvider`."""
        self._engine.unload()

    def interrupt(self, stop: bool) -> None:
        """See `ResidentProvider`."""
        self._engine.interrupt(stop)

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """See `WindowedProvider`."""
        return self._engine.decode(samples, is_final=is_final)


PROVIDER = DistilWhisper
