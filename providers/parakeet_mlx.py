"""NVIDIA Parakeet, streaming, through parakeet-mlx in this process, on Apple Silicon's GPU.

Not verified on Apple Silicon. This code was run on MLX for Linux on the CPU, with random weights
and with full instead of local attention (a Metal kernel). That shows that the library is called
correctly, and nothing about speed or accuracy.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ProviderSettings, SessionConfig
from harness.errors import ModelError
from harness.requirements import ModelFolder, Package, Platform, Requirement
from harness.support.sanitize import in_one_line
from providers.models import hub
from providers.models.hub import lacking
from providers.models.subwords import words_of
from providers.models.user_folder import GIVEN, given_folder
from providers.streaming.feedthrough import (
    EngineStream,
    EngineText,
    FeedThroughProvider,
    FeedThroughStream,
)
from providers.streaming.segmenter import Limits

HUB_OWNER = "mlx-community"
HUB_NAMES = "tdt-0.6b-v2 tdt-0.6b-v3 rnnt-0.6b tdt_ctc-110m".split()
FILES = ("config.json", "model.safetensors")
FETCH = f"or let it be fetched: --model {HUB_NAMES[1]} (2.5 GB)"
LEFT_FRAMES = 256
"""Left context of the encoder, in frames of 80 ms."""
MIN_S = 0.24
"""Shorter audio is buffered until more arrives: it is less than one encoder frame."""


class ParakeetMlxSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `parakeet_mlx`."""

    folder: str | None = None
    """Its model, unless `--model` names one; the default is ECHOBENCH_PARAKEET_MLX_MODEL."""
    right_frames: Annotated[int, Meta(ge=1, le=256)] = 16
    """Right context of the encoder, in frames of 80 ms; text may change for that long. The
    library's default of 256 is 20 s."""


class ParakeetMlx(FeedThroughProvider):
    """One model, whose streams take turns on one thread, as MLX requires.

    A library stream keeps its whole output, so each utterance gets a new one.
    """

    name = "parakeet_mlx"
    Settings = ParakeetMlxSettings
    settings: ParakeetMlxSettings
    default_model = GIVEN
    limits = Limits(longest_s=20.0)

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        package = Package("parakeet_mlx", extra="parakeet-mlx")
        return (Platform("Darwin", "arm64"), package, self._given)

    @property
    def _given(self) -> ModelFolder:
        what = "a Parakeet model for MLX"
        return ModelFolder(what, "ECHOBENCH_PARAKEET_MLX_MODEL", FETCH, self.settings.folder)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        folder = self._folder(model)
        hub.check_hashes(folder.iterdir())
        return folder

    def _folder(self, model: str) -> Path:
        """Find a model's folder, and check its files."""
        if (given := given_folder(model, self._given)) is not None:
            folder = given
        else:
            name = hub.known(model, HUB_NAMES, self.name)
            folder = hub.fetch(f"{HUB_OWNER}/parakeet-{name}", FILES)
        if missing := lacking(folder, FILES):
            problem = f"has no {missing}" if folder.is_dir() else "no such folder"
            raise ModelError(str(folder), problem, f"a folder with {', '.join(FILES)}")
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`.

        By default each stream switches the encoder to local attention when it begins and back when
        it ends, which would affect other streams. So the attention is switched once, here.
        """
        from parakeet_mlx import from_pretrained

        folder = self._folder(config.model).absolute()  # a path that can't be a name on the hub
        try:
            self._model = from_pretrained(str(folder))
            context = (LEFT_FRAMES, self.settings.right_frames)
            self._model.encoder.set_attention_model("rel_pos_local_attn", context)
        except Exception as error:  # the libraries' own errors have no common base
            problem = f"does not load ({in_one_line(str(error))})"
            raise ModelError(str(folder), problem, "an intact model") from error

    def unload(self) -> None:
        """See `ResidentProvider`."""
        del self._model

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        """See `FeedThroughProvider`."""
        context = (LEFT_FRAMES, self.settings.right_frames)
        return MlxStream(self, listener, self._model, context)


class MlxStream(EngineStream):
    """One source's stream: each utterance is a stream of the library, on the model's thread."""

    def __init__(
        self,
        provider: ParakeetMlx,
        listener: FeedThroughStream,
        model: Any,
        context: tuple[int, int],
    ) -> None:
        self._provider, self._listener = provider, listener
        self._model, self._context = model, context
        self._utterance = ExitStack()
        self._stream: Any = None
        self._kept = np.zeros(0, np.float32)
        self._fed = 0

    async def feed(self, samples: Samples) -> None:
        """See `EngineStream`."""
        self._fed += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        if len(self._kept) >= MIN_S * SAMPLE_RATE_HZ:
            await self._infer(lambda: self._advance(is_final=False))

    async def end_utterance(self) -> None:
        """See `EngineStream`."""
        await self._infer(lambda: self._advance(is_final=True))

    async def flush(self) -> None:
        """See `EngineStream`; finals are reported when utterances end, so none is due."""

    async def close(self) -> None:
        """See `EngineStream`; a running call ends before the next one begins."""

    async def _infer(self, call: Callable[[], EngineText]) -> None:
        session, source = self._listener.session, self._listener.source
        window_s = len(self._kept) / SAMPLE_RATE_HZ
        self._listener.on_text(await self._provider.infer(session, source, window_s, call))

    def _advance(self, *, is_final: bool) -> EngineText:
        import mlx.core as mx

        if self._stream is None:
            stream = self._model.transcribe_stream(self._context, keep_original_attention=True)
            self._stream = self._utterance.enter_context(stream)
        if len(self._kept):
            missing = round(MIN_S * SAMPLE_RATE_HZ) - len(self._kept)
            self._stream.add_audio(mx.array(np.pad(self._kept, (0, max(0, missing)))))
            self._kept = np.zeros(0, np.float32)
        pieces = [*self._stream.finalized_tokens, *self._stream.draft_tokens]
        begins_s = [piece.start for piece in pieces]
        words = words_of([piece.text for piece in pieces], begins_s, self._fed / SAMPLE_RATE_HZ)
        if is_final:
            self._stream, self._fed = None, 0
            self._utterance.close()
        return EngineText(" ".join(word.text for word in words), is_final, words)


PROVIDER = ParakeetMlx
