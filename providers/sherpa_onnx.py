"""sherpa-onnx's streaming transducers in this process, on CPU or CUDA."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ProviderSettings, SessionConfig
from harness.errors import ModelError, UnknownNameError
from harness.requirements import ModelFolder, Package, Requirement
from harness.support.sanitize import in_one_line
from providers.models.sherpa import sherpa_files
from providers.models.subwords import words_of
from providers.models.threads import cpu_threads
from providers.models.user_folder import GIVEN, given_folder
from providers.streaming.feedthrough import (
    EngineStream,
    EngineText,
    FeedThroughProvider,
    FeedThroughStream,
)

PAGE = "https://k2-fsa.github.io/sherpa/onnx/pretrained_models/"
PAUSE_S = 0.8
"""Silence that ends an utterance; sherpa-onnx detects it."""
MAX_S = 20.0
TAIL_S = 0.66
"""Silence that completes the output at a flush: the encoder looks ahead."""


class SherpaOnnxSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `sherpa_onnx`."""

    folder: str | None = None
    """Its model, unless `--model` is a folder; the default is ECHOBENCH_SHERPA_MODEL."""
    int8: bool = False
    """Load the files with `int8` in their names, else those without."""
    device: Literal["cpu", "cuda"] = "cpu"
    """`cuda` needs a CUDA build of sherpa-onnx, which its default package is not."""
    num_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """When not given, the physical cores, at most 4."""


class SherpaOnnx(FeedThroughProvider):
    """One recogniser, shared by the sources' streams in turns."""

    name = "sherpa_onnx"
    Settings = SherpaOnnxSettings
    settings: SherpaOnnxSettings
    default_model = GIVEN
    limits = None

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return (Package("sherpa_onnx", extra="sherpa-onnx"), self._given)

    @property
    def _given(self) -> ModelFolder:
        what = "a streaming sherpa-onnx model"
        return ModelFolder(what, "ECHOBENCH_SHERPA_MODEL", PAGE, self.settings.folder)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        folder = given_folder(model, self._given)
        if folder is None:
            raise UnknownNameError(f"--model for {self.name}", model, [GIVEN, "a path"])
        sherpa_files(folder, int8=self.settings.int8)
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        import sherpa_onnx

        folder = self.locate_model(config.model)
        files = sherpa_files(folder, int8=self.settings.int8)
        try:
            self._recogniser = sherpa_onnx.OnlineRecognizer.from_transducer(
                tokens=str(files.tokens),
                encoder=str(files.encoder),
                decoder=str(files.decoder),
                joiner=str(files.joiner),
                num_threads=cpu_threads(self.settings.num_threads),
                provider=self.settings.device,
                enable_endpoint_detection=True,
                rule1_min_trailing_silence=MAX_S,  # of utterances without a word
                rule2_min_trailing_silence=PAUSE_S,
                rule3_min_utterance_length=MAX_S,
            )
        except Exception as error:  # onnxruntime's errors have no class in Python
            problem = f"does not load ({in_one_line(str(error))})"
            raise ModelError(str(folder), problem, "an intact model") from error

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._recogniser

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        """See `FeedThroughProvider`."""
        return SherpaStream(self, listener, self._recogniser)


class SherpaStream(EngineStream):
    """One source's stream on the shared recogniser."""

    def __init__(self, provider: SherpaOnnx, listener: FeedThroughStream, recogniser: Any) -> None:
        self._provider, self._listener, self._recogniser = provider, listener, recogniser
        self._renew(0)

    def _renew(self, begin: int) -> None:
        self._stream = self._recogniser.create_stream()
        self._begin = self._fed = begin
        self._last_partial = ""

    async def feed(self, samples: Samples) -> None:
        """See `EngineStream`."""
        self._fed += len(samples)
        await self._infer(partial(self._advance, samples), len(samples))

    async def flush(self) -> None:
        """See `EngineStream`; later audio gets a new stream, since this one is fed silence."""
        tail = np.zeros(round(TAIL_S * SAMPLE_RATE_HZ), np.float32)
        await self._infer(
            lambda: [*self._advance(tail), self._current_text(is_final=True)], len(tail)
        )
        self._renew(self._fed)

    async def close(self) -> None:
        """See `EngineStream`; a running call ends before the next one begins."""

    async def _infer(self, call: Callable[[], list[EngineText]], samples: int) -> None:
        session, source = self._listener.session, self._listener.source
        texts = await self._provider.infer(session, source, samples / SAMPLE_RATE_HZ, call)
        for text in texts:
            self._listener.on_text(text)

    def _advance(self, samples: Samples) -> list[EngineText]:
        """Decode all complete frames; on the model's thread."""
        recogniser, stream = self._recogniser, self._stream
        texts = []
        stream.accept_waveform(SAMPLE_RATE_HZ, samples)
        while recogniser.is_ready(stream):
            recogniser.decode_stream(stream)
            if recogniser.is_endpoint(stream):
                texts.append(self._current_text(is_final=True))
                recogniser.reset(stream)
        partial_text = self._current_text(is_final=False)
        if partial_text.text != self._last_partial:
            texts.append(partial_text)
            self._last_partial = partial_text.text
        return texts

    def _current_text(self, *, is_final: bool) -> EngineText:
        recogniser, stream = self._recogniser, self._stream
        begin_s = self._begin / SAMPLE_RATE_HZ + recogniser.start_time(stream)
        begins_s = [begin_s + at_s for at_s in recogniser.timestamps(stream)]
        words = words_of(recogniser.tokens(stream), begins_s, self._fed / SAMPLE_RATE_HZ)
        return EngineText(recogniser.get_result(stream), is_final, words)


PROVIDER = SherpaOnnx
