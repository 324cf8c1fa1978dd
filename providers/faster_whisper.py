"""faster-whisper (CTranslate2) in this process, on CPU or CUDA; it has no Metal support."""

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import SessionConfig, Word
from harness.errors import ModelError, UnavailableError
from harness.requirements import Package
from models import EMBEDDED
from providers.models import hub
from providers.models.threads import cpu_threads, wait_without_spinning
from providers.whisper.base import ALL_POSITIONS, WhisperProvider, WhisperSettings, most_tokens
from providers.whisper.ct2 import FILES, OPTIONAL_FILES, check_ct2
from providers.whisper.models import DISTILLED

HUB_OWNER = "Systran"
HUB_NAMES = """
    tiny tiny.en base base.en small small.en medium medium.en large-v1 large-v2 large-v3
""".split()
FRAMES_PER_POSITION = 2
STEP = 64
"""Windows are padded to multiples of this many encoder positions (1.3 s). The engine caches data
per window length; with arbitrary lengths its memory grew by 150 MB in ten minutes."""

WARM_UP = 0.01 * np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ, dtype=np.float32)
"""A second of noise."""


class FasterWhisperSettings(WhisperSettings, frozen=True, kw_only=True):
    """Options of `faster_whisper`."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "default"
    """CTranslate2's names: `int8`, `int8_float16`, `float16`, `float32`; `default` keeps the type
    that the model is stored in, where the device supports it."""
    cpu_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """When not given, the physical cores, at most 4."""
    beam_size: Annotated[int, Meta(ge=1, le=100)] = 1


class FasterWhisper(WhisperProvider):
    """One CTranslate2 model, shared by all sources in turns."""

    name = "faster_whisper"
    Settings = FasterWhisperSettings
    settings: FasterWhisperSettings
    requires = (Package("faster_whisper", extra="faster-whisper"),)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`; `model` may also be any "owner/name" on the Hugging Face hub."""
        folder = self._folder(model)
        hub.check_hashes(folder.iterdir())
        return folder

    def _folder(self, model: str) -> Path:
        """Find a model's folder, and check its files."""
        if model == hub.EMBEDDED:
            folder = EMBEDDED / "ct2"
        elif hub.is_path(model):
            folder = Path(model).expanduser()
        elif model in DISTILLED:
            folder = hub.fetch(DISTILLED[model].ct2_repository, FILES, OPTIONAL_FILES)
        elif "/" in model:
            folder = hub.fetch(model, FILES, OPTIONAL_FILES)
        else:
            name = hub.known(model, [*HUB_NAMES, *DISTILLED], self.name)
            folder = hub.fetch(f"{HUB_OWNER}/faster-whisper-{name}", FILES, OPTIONAL_FILES)
        check_ct2(folder)
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        wait_without_spinning()
        from faster_whisper import WhisperModel

        self.prepare(config)
        folder = self._folder(config.model)
        self._check_device()
        try:
            self._model = WhisperModel(
                str(folder),
                device=self.settings.device,
                compute_type=self.settings.compute_type,
                cpu_threads=cpu_threads(self.settings.cpu_threads),
                local_files_only=True,
            )
        except Exception as error:  # the libraries' own errors have no common base
            raise ModelError(str(folder), f"does not load ({error})", "an intact folder") from error
        encode = self._model.encode  # `transcribe` always pads to 30 s
        self._model.encode = lambda features: encode(features[:, : self._frames])
        self.decode(WARM_UP, is_final=True)  # the first call also initialises, which takes long

    def _check_device(self) -> None:
        import ctranslate2

        device, compute_type = self.settings.device, self.settings.compute_type
        has_cuda = ctranslate2.get_cuda_device_count() > 0
        if device == "cuda" and not has_cuda:
            raise UnavailableError(self.name, "sees no CUDA device", "device=cpu, or device=auto")
        on = "cuda" if has_cuda and device != "cpu" else "cpu"
        computes = {"default", "auto", *ctranslate2.get_supported_compute_types(on)}
        if compute_type not in computes:
            problem = f"can't compute in {compute_type!r} on this {on}"
            raise UnavailableError(self.name, problem, ", ".join(sorted(computes)))

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._model

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """See `WindowedProvider`."""
        length_s = len(samples) / SAMPLE_RATE_HZ
        steps = math.ceil(self.positions(length_s, is_final=is_final) / STEP)
        self._frames = FRAMES_PER_POSITION * min(steps * STEP, ALL_POSITIONS)
        segments, _ = self._model.transcribe(
            samples,
            language=self.language,
            beam_size=self.settings.beam_size,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
            max_new_tokens=most_tokens(length_s),
        )
        return [  # `segments` is a generator: decoding happens here
            Word(word.word.strip(), float(word.start), float(word.end))
            for segment in segments
            for word in segment.words or ()
        ]


PROVIDER = FasterWhisper
