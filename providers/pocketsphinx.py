"""PocketSphinx in child processes: a baseline of low accuracy that needs no download.

Its package includes an English model of 1990s technology: a quarter of the words of clear speech
are wrong, and half of them in noise. It serves only as a baseline for much better engines.
"""

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from harness.audio import SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.contract import SessionConfig, Sharing, Word
from harness.errors import ModelError, ProviderError, UnknownNameError
from harness.processes.called_process import CalledChild
from harness.requirements import Package
from providers.models import hub
from providers.models.sphinx import WordTimes, model_files
from providers.streaming.feedthrough import (
    EngineStream,
    EngineText,
    FeedThroughProvider,
    FeedThroughStream,
)
from providers.streaming.segmenter import Limits

PACKAGE = Package("pocketsphinx", extra="pocketsphinx")
MODEL = "en-us"
"""The model in the package."""
CANCEL_TIMEOUT_S = 2.0
"""How long a cancelled call may take to end; then its process is ended."""


class PocketSphinx(FeedThroughProvider):
    """A baseline of low accuracy, one process per source, since a decoder holds Python's GIL.

    Partials come from a quick decoder. At the end of an utterance, found by energy, a thorough one
    decodes all of it.
    """

    name = "pocketsphinx"
    default_model = MODEL
    sharing = Sharing.COPIES
    requires = (PACKAGE,)
    limits = Limits(longest_s=10.0)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        if model == MODEL:
            spec = importlib.util.find_spec(PACKAGE.module)
            if spec is None or spec.origin is None:
                raise ModelError(f"model {model}", f"lacks {PACKAGE.missing()}", PACKAGE.remedy())
            folder = Path(spec.origin).parent / "model" / MODEL
        elif hub.is_path(model):
            folder = Path(model).expanduser()
        else:
            raise UnknownNameError(f"--model for {self.name}", model, [MODEL, "a path"])
        model_files(folder)
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        folder = self.locate_model(config.model)
        self._files = model_files(folder)
        self._children: list[CalledChild] = []
        self._free: list[CalledChild] = []
        try:
            self._free.append(asyncio.run(self._start()))
        except ProviderError as error:
            raise ModelError(str(folder), error.problem, "an intact model") from error

    def unload(self) -> None:
        """See `ResidentProvider`."""
        self._free.clear()
        while self._children:
            self._children.pop().end()

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        """See `FeedThroughProvider`; starts a process if none is free."""
        free = self._free.pop() if self._free else None
        return SphinxStream(self, listener, free or await self._start())

    async def give_back(self, child: CalledChild) -> None:
        """Keep a process for the next stream, unless it stays busy with the last stream."""
        if await child.idle(CANCEL_TIMEOUT_S):
            self._free.append(child)
        elif child in self._children:
            self._children.remove(child)
            await asyncio.to_thread(child.end)

    async def _start(self) -> CalledChild:
        child = CalledChild(self.name, "providers.models.sphinx:Sphinx", self._files)
        self._children.append(child)
        try:
            await child.start()
        except BaseException:
            self._children.remove(child)
            await asyncio.to_thread(child.end)
            raise
        return child


class SphinxStream(EngineStream):
    """One source's stream, on a process that serves no other stream meanwhile."""

    def __init__(
        self, provider: PocketSphinx, listener: FeedThroughStream, child: CalledChild
    ) -> None:
        self._provider, self._listener, self._child = provider, listener, child
        self._samples = 0  # of the open utterance
        self._is_new = True

    async def feed(self, samples: Samples) -> None:
        """See `EngineStream`."""
        if self._is_new:
            await self._child.call("begin")
            self._is_new = False
        self._samples += len(samples)
        words = await self._ask(len(samples), "decode_partial", to_pcm16(samples).tobytes())
        self._listener.on_text(EngineText(" ".join(word.text for word in words), words=words))

    async def end_utterance(self) -> None:
        """See `EngineStream`."""
        words = await self._ask(self._samples, "decode_final")
        self._samples = 0
        self._listener.on_text(EngineText(" ".join(word.text for word in words), True, words))

    async def flush(self) -> None:
        """See `EngineStream`; finals are reported when utterances end, so none is due."""

    async def close(self) -> None:
        """See `EngineStream`."""
        await self._provider.give_back(self._child)

    async def _ask(self, samples: int, method: str, *arguments: bytes) -> Sequence[Word]:
        answer = self._child.call(method, *arguments)
        window_s = samples / SAMPLE_RATE_HZ
        session, source = self._listener.session, self._listener.source
        found: list[WordTimes] = await self._provider.infer_outside(
            session, source, window_s, answer
        )
        return [Word(*word) for word in found]


PROVIDER = PocketSphinx
