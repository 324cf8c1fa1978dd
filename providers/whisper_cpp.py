"""whisper.cpp, in this process, through pywhispercpp: Metal on Apple Silicon, CPU elsewhere."""

import math
import threading
from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ProviderSettings, SessionConfig, Word
from harness.requirements import Package
from models import EMBEDDED
from providers.policies import weights
from providers.policies.ggml import check_ggml
from providers.policies.segmenter import Limits
from providers.policies.threads import cpu_threads, wait_without_spinning
from providers.policies.windowed import WindowedProvider

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
"""whisper.cpp finds nothing in less than a second; shorter windows get silence at their end."""
POSITIONS_PER_S = 50
"""Of the encoder; it computes 1500 of them, for 30 s, unless told to do with fewer."""
SPARE_POSITIONS = 64
FEWEST_POSITIONS = 256
TOKENS_PER_S = 8
"""More than anyone says, so only a decode that loops is stopped by it."""


class WhisperCppSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `whisper_cpp`."""

    n_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """CPU threads; when not given, the physical cores, at most 4."""
    use_gpu: bool = True
    """Use Metal or CUDA where the installed build has it."""


class WhisperCpp(WindowedProvider):
    """One whisper.cpp context, which is not thread-safe: all sources take turns on its thread."""

    name = "whisper_cpp"
    Settings = WhisperCppSettings
    settings: WhisperCppSettings
    requires = (Package("pywhispercpp", extra="whisper-cpp"),)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        path = self._path(model)
        weights.check_hashes([path])
        return path

    def _path(self, model: str) -> Path:
        """Find a model's file and walk it, since a damaged one would crash the process."""
        if model == weights.EMBEDDED:
            path = EMBEDDED / "ggml-q8_0.bin"
        elif weights.is_path(model):
            path = Path(model).expanduser()
        else:
            file = f"ggml-{weights.known(model, HUB_NAMES, self.name)}.bin"
            path = weights.fetch(HUB_REPOSITORY, [file]) / file
        check_ggml(path)
        return path

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        wait_without_spinning()
        from pywhispercpp.model import Model

        path = self._path(config.model)
        self._is_embedded = config.model == weights.EMBEDDED
        self.decodes_finals_anew = not self._is_embedded  # their partials take a short cut
        self._language = config.language
        self.limits = Limits(longest_s=weights.LONGEST_S[self._is_embedded])
        self._stop = threading.Event()
        self._model = Model(
            str(path),
            n_threads=cpu_threads(self.settings.n_threads),
            context_params={"use_gpu": self.settings.use_gpu},
            print_progress=False,
        )

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._model

    def interrupt(self, stop: bool) -> None:
        """See `ResidentProvider`; whisper.cpp looks after an encode and after each token."""
        if stop:
            self._stop.set()
        else:
            self._stop.clear()

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """See `WindowedProvider`.

        Every parameter is given each time: the binding keeps those of the call before. A short
        encoder context is several times faster. The embedded model was trained for it; others
        get it for partials only.
        """
        missing = round(SHORTEST_S * SAMPLE_RATE_HZ) - len(samples)
        window = np.pad(samples, (0, max(0, missing)))
        length_s = len(window) / SAMPLE_RATE_HZ
        positions = max(FEWEST_POSITIONS, math.ceil(length_s * POSITIONS_PER_S) + SPARE_POSITIONS)
        short_context = self._is_embedded or not is_final
        segments = self._model.transcribe(
            window,
            abort_callback=self._stop.is_set,
            language=self._language,
            audio_ctx=positions if short_context else 0,
            max_tokens=math.ceil(length_s * TOKENS_PER_S),
            no_context=True,
            single_segment=False,
            temperature_inc=0.0,
            token_timestamps=True,  # these three: one segment a word, with its times
            max_len=1,
            split_on_word=True,
        )
        return [
            Word(segment.text, segment.t0 / 100, segment.t1 / 100)
            for segment in segments
            if segment.text
        ]


PROVIDER = WhisperCpp
