"""faster-whisper (CTranslate2), in this process: CPU, or CUDA; no Metal."""

import math
from pathlib import Path
from typing import Literal

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ProviderSettings, SessionConfig, Word
from harness.errors import ModelError
from harness.requirements import Package
from models import EMBEDDED
from providers.policies import weights
from providers.policies.segmenter import Limits
from providers.policies.threads import cpu_threads, wait_without_spinning
from providers.policies.windowed import WindowedProvider

HUB_OWNER = "Systran"
HUB_NAMES = """
    tiny tiny.en base base.en small small.en medium medium.en large-v1 large-v2 large-v3
""".split()
FILES = ["config.json", "model.bin", "tokenizer.json", "vocabulary.*"]
TOKENS_PER_S = 8
"""More than anyone says, so only a decode that loops is stopped by it."""


class FasterWhisperSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `faster_whisper`."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "default"
    """As CTranslate2 names them: `int8`, `int8_float16`, `float16`, `float32`; `default` keeps the
    type that the model was stored in, where the device can compute it."""
    cpu_threads: int | None = None
    """When not given, the physical cores, at most 4."""
    beam_size: int = 1


class FasterWhisper(WindowedProvider):
    """One CTranslate2 model, which serves all sources in turn."""

    name = "faster_whisper"
    Settings = FasterWhisperSettings
    settings: FasterWhisperSettings
    requires = (Package("faster_whisper", extra="faster_whisper"),)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`; `model` may also be any "owner/name" on the Hugging Face hub."""
        if model == weights.EMBEDDED:
            folder = EMBEDDED / "ct2"
        elif weights.is_path(model):
            folder = Path(model).expanduser()
        elif "/" in model:
            folder = weights.fetch(model, FILES, optional=["preprocessor_config.json"])
        else:
            name = weights.known(model, HUB_NAMES, self.name)
            folder = weights.fetch(
                f"{HUB_OWNER}/faster-whisper-{name}", FILES, optional=["preprocessor_config.json"]
            )
        if missing := weights.lacking(folder, FILES):
            raise ModelError(
                str(folder), f"has no {missing}", f"a CTranslate2 folder with {', '.join(FILES)}"
            )
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        wait_without_spinning()
        from faster_whisper import WhisperModel

        folder = self.locate_model(config.model)
        self._language = config.language
        self.limits = Limits(longest_s=weights.LONGEST_S[config.model == weights.EMBEDDED])
        try:
            self._model = WhisperModel(
                str(folder),
                device=self.settings.device,
                compute_type=self.settings.compute_type,
                cpu_threads=cpu_threads(self.settings.cpu_threads),
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:  # what CTranslate2 raises for a bad file
            raise ModelError(str(folder), f"does not load ({error})", "an intact folder") from error

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._model

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """See `WindowedProvider`; finals and partials are decoded alike."""
        length_s = len(samples) / SAMPLE_RATE_HZ
        segments, _ = self._model.transcribe(
            samples,
            language=self._language,
            beam_size=self.settings.beam_size,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
            max_new_tokens=math.ceil(length_s * TOKENS_PER_S) + 4,
        )
        return [  # the segments come from a generator: the work is done here
            Word(word.word.strip(), float(word.start), float(word.end))
            for segment in segments
            for word in segment.words or ()
        ]


PROVIDER = FasterWhisper
