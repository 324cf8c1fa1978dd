"""whisper.cpp through pywhispercpp in this process: Metal on Apple Silicon, CPU elsewhere."""

import threading
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import SessionConfig, Word
from harness.requirements import Package
from models import EMBEDDED
from providers.models import hub
from providers.models.threads import cpu_threads, wait_without_spinning
from providers.whisper.base import WhisperProvider, WhisperSettings, most_tokens
from providers.whisper.ggml import check_ggml
from providers.whisper.models import DISTILLED
from providers.whisper.word_times import (
    aligned_words,
    alignment,
    knows_timestamps,
    stamped_words,
)

HUB_REPOSITORY = "ggerganov/whisper.cpp"
HUB_NAMES = """
    tiny tiny-q5_1 tiny-q8_0 tiny.en tiny.en-q5_1 tiny.en-q8_0
    base base-q5_1 base-q8_0 base.en base.en-q5_1 base.en-q8_0
    small small-q5_1 small-q8_0 small.en small.en-q5_1 small.en-q8_0
    medium medium-q5_0 medium-q8_0 medium.en medium.en-q5_0 medium.en-q8_0
    large-v1 large-v2 large-v2-q5_0 large-v2-q8_0 large-v3 large-v3-q5_0
    large-v3-turbo large-v3-turbo-q5_0 large-v3-turbo-q8_0
""".split()

SHORTEST_S = 1.1
"""whisper.cpp returns nothing for less than a second; shorter windows are padded with silence."""


class WhisperCppSettings(WhisperSettings, frozen=True, kw_only=True):
    """Options of `whisper_cpp`."""

    n_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """CPU threads; when not given, the physical cores, at most 4."""
    use_gpu: bool = True
    """Use Metal or CUDA where the installed build has it."""
    flash_attention: bool = False
    """May be faster on a GPU; never used where word times follow the decoder's attention. It also
    attends to padding, which holds data of earlier windows, so results depend on earlier audio
    (https://github.com/ggml-org/whisper.cpp/pull/3941)."""


class WhisperCpp(WhisperProvider):
    """One whisper.cpp context, shared by all sources in turns, since it is not thread-safe."""

    name = "whisper_cpp"
    Settings = WhisperCppSettings
    settings: WhisperCppSettings
    requires = (Package("pywhispercpp", extra="whisper-cpp"),)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        path = self._path(model)
        check_ggml(path)
        hub.check_hashes([path])
        return path

    def _path(self, model: str) -> Path:
        """Find a model's file."""
        if model == hub.EMBEDDED:
            return EMBEDDED / "ggml-q8_0.bin"
        if hub.is_path(model):
            return Path(model).expanduser()
        if (distilled := DISTILLED.get(model)) is not None:
            repository, file = distilled.ggml_repository, distilled.ggml_file
        else:
            name = hub.known(model, [*HUB_NAMES, *DISTILLED], self.name)
            repository, file = HUB_REPOSITORY, f"ggml-{name}.bin"
        return hub.fetch(repository, [file]) / file

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`; checks the file first, since damage would end the process."""
        wait_without_spinning()
        from pywhispercpp.model import Model

        self.prepare(config)
        path = self._path(config.model)
        self._has_timestamps = knows_timestamps(check_ggml(path))
        parameters: Any = {
            "use_gpu": self.settings.use_gpu,
            "flash_attn": self.settings.flash_attention,
        }
        self._stop = threading.Event()
        self._model = Model(
            str(path),
            n_threads=cpu_threads(self.settings.n_threads),
            context_params=parameters if self._has_timestamps else parameters | alignment(),
            print_progress=False,
        )

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._model

    def interrupt(self, stop: bool) -> None:
        """See `ResidentProvider`; whisper.cpp checks after each encode and each token."""
        if stop:
            self._stop.set()
        else:
            self._stop.clear()

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """See `WindowedProvider`.

        Every parameter is passed each time, since the binding keeps those of the last call.
        """
        missing = round(SHORTEST_S * SAMPLE_RATE_HZ) - len(samples)
        window = np.pad(samples, (0, max(0, missing)))
        length_s = len(window) / SAMPLE_RATE_HZ
        by_word = self._has_timestamps and not self.stamps_words
        segments = self._model.transcribe(
            window,
            abort_callback=self._stop.is_set,
            language=self.language,
            audio_ctx=self.positions(length_s, is_final=is_final),
            max_tokens=most_tokens(length_s),
            no_context=True,
            single_segment=False,
            temperature_inc=0.0,
            token_timestamps=by_word,  # these three: one segment per word, with its times
            max_len=1 if by_word else 0,
            split_on_word=by_word,
        )
        if not self._has_timestamps:
            return aligned_words(self._model)
        if self.stamps_words:
            return stamped_words(self._model, segments)
        return [
            Word(segment.text, segment.t0 / 100, segment.t1 / 100)
            for segment in segments
            if segment.text
        ]


PROVIDER = WhisperCpp
