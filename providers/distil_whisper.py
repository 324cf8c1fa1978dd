"""Distil-Whisper, on either engine: Whisper with most of its decoder left out; English only."""

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


def _whisper_cpp(asked: DistilWhisperSettings) -> WhisperProvider:
    options = WhisperCppSettings(n_threads=asked.threads, short_context=asked.short_context)
    return WhisperCpp(options)


def _faster_whisper(asked: DistilWhisperSettings) -> WhisperProvider:
    options = FasterWhisperSettings(cpu_threads=asked.threads, short_context=asked.short_context)
    return FasterWhisper(options)


ENGINES: dict[str, Callable[[DistilWhisperSettings], WhisperProvider]] = {
    "whisper_cpp": _whisper_cpp,
    "faster_whisper": _faster_whisper,
}


class DistilWhisper(WhisperProvider):
    """Streams as all of Whisper does; another provider's engine decodes."""

    name = "distil_whisper"
    Settings = DistilWhisperSettings
    settings: DistilWhisperSettings
    default_model = "unnamed"  # none is small enough to be fetched unasked

    def __init__(self, settings: DistilWhisperSettings | None = None) -> None:
        super().__init__(settings)
        self._engine = ENGINES[self.settings.engine](self.settings)

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """What the engine needs, and a model."""
        return (*self._engine.requires, ModelName("a Distil-Whisper model", "distil-small.en"))

    def locate_model(self, model: str) -> Path | None:
        """See `ASRProvider`; the embedded model stands in where there is none of the family."""
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
