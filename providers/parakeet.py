"""NVIDIA Parakeet through onnx-asr in this process, on CPU or CUDA.

On Apple Silicon, `parakeet_mlx` is faster.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ProviderSettings, SessionConfig, Word
from harness.errors import ModelError, UnavailableError
from harness.requirements import ModelFolder, Package, Requirement
from harness.support.sanitize import in_one_line
from providers.models import hub
from providers.models.parakeet import CONFIG, VOCABULARY, check_parakeet, graph_files
from providers.models.subwords import words_of
from providers.models.threads import cpu_threads
from providers.models.user_folder import GIVEN, given_folder
from providers.streaming.windowed import WindowedProvider

HUB_OWNER = "istupakov"
HUB_NAMES = "tdt-0.6b-v2 tdt-0.6b-v3 rnnt-0.6b".split()
FETCH = f"or let it be fetched: --model {HUB_NAMES[1]} (2.5 GB, or 0.7 GB with quantization=int8)"
SHORTEST_S = 0.5
"""Shorter windows are padded with silence: the encoder can't process a few frames."""


class ParakeetSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `parakeet`."""

    folder: str | None = None
    """Its model, unless `--model` names one; the default is ECHOBENCH_PARAKEET_MODEL."""
    quantization: Literal["int8"] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    num_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """When not given, the physical cores, at most 4."""


class Parakeet(WindowedProvider):
    """One model, shared by all sources in turns."""

    name = "parakeet"
    Settings = ParakeetSettings
    settings: ParakeetSettings
    default_model = GIVEN

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return (Package("onnx_asr", extra="parakeet"), self._given)

    @property
    def _given(self) -> ModelFolder:
        what = "a Parakeet model for onnx-asr"
        return ModelFolder(what, "ECHOBENCH_PARAKEET_MODEL", FETCH, self.settings.folder)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        folder = self._folder(model)
        hub.check_hashes(folder.iterdir())
        return folder

    def _folder(self, model: str) -> Path:
        """Find a model's folder, and check its files."""
        quantization = self.settings.quantization
        if (given := given_folder(model, self._given)) is not None:
            folder = given
        else:
            name = hub.known(model, HUB_NAMES, self.name)
            graphs = graph_files(quantization)
            folder = hub.fetch(
                f"{HUB_OWNER}/parakeet-{name}-onnx",
                (CONFIG, VOCABULARY, *graphs),
                tuple(f"{graph}.data" for graph in graphs),
            )
        check_parakeet(folder, quantization)
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        import onnx_asr
        import onnxruntime

        folder = self._folder(config.model)
        kind = check_parakeet(folder, self.settings.quantization).model_type
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cpu_threads(self.settings.num_threads)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._model = onnx_asr.load_model(
                kind,
                folder,
                quantization=self.settings.quantization,
                providers=self._devices(onnxruntime.get_available_providers()),
                sess_options=options,
            ).with_timestamps()
        except UnavailableError:
            raise
        except Exception as error:  # the libraries' own errors have no common base
            problem = f"does not load ({in_one_line(str(error))})"
            raise ModelError(str(folder), problem, "an intact model") from error

    def _devices(self, available: list[str]) -> list[str]:
        cuda, cpu = "CUDAExecutionProvider", "CPUExecutionProvider"
        if self.settings.device == "cuda" and cuda not in available:
            allowed = "device=cpu, or onnxruntime-gpu and a CUDA device"
            raise UnavailableError(self.name, "this onnxruntime has no CUDA", allowed)
        return [cuda, cpu] if self.settings.device != "cpu" and cuda in available else [cpu]

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._model

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """See `WindowedProvider`; finals and partials are decoded alike."""
        missing = round(SHORTEST_S * SAMPLE_RATE_HZ) - len(samples)
        window = np.pad(samples, (0, max(0, missing)))
        found = self._model.recognize(window, sample_rate=SAMPLE_RATE_HZ)
        pieces, begins_s = found.tokens or [], found.timestamps or []
        return words_of(pieces, begins_s, len(samples) / SAMPLE_RATE_HZ)


PROVIDER = Parakeet
