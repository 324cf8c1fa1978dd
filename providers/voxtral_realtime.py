"""Voxtral Realtime through voxtral.c: one process per source, resident for the whole session."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from harness.clock import ClockKind
from harness.contract import AudioSource, ProviderSettings, SessionConfig, Sharing
from harness.errors import ModelError
from harness.provider.resident import Session
from harness.requirements import ModelFolder, Program, Requirement
from providers.streaming.feedthrough import EngineStream, FeedThroughProvider, FeedThroughStream
from providers.voxtral.files import check_model
from providers.voxtral.process import VoxtralProcess
from providers.voxtral.stream import LIMITS, VoxtralStream

SOURCE = "https://github.com/antirez/voxtral.c"
MODEL = "Voxtral-Mini-4B-Realtime"
"""The only model name; a path overrides the folder of the option or the variable."""
Seconds = Annotated[float, Meta(gt=0, le=3600)]


class VoxtralSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options of `voxtral_realtime`."""

    binary: str | None = None
    """The program; the default is ECHOBENCH_VOXTRAL_BIN, or `voxtral` on PATH."""
    folder: str | None = None
    """Its model, unless `--model` is a folder; the default is ECHOBENCH_VOXTRAL_MODEL."""
    interval_s: Annotated[float, Meta(ge=0.1, le=2)] = 0.5
    """The encoder's interval; a shorter one is faster to answer and costs more."""
    processes: Annotated[int, Meta(ge=1, le=8)] = 1
    """Processes loaded with the model; each further source starts its own when it begins."""
    load_s: Seconds = 600.0
    """Timeout for loading the model."""
    answer_s: Seconds = 30.0
    """How long it may make no progress while it has audio."""


class VoxtralRealtime(FeedThroughProvider):
    """One process per stream, since it holds a single stream's state; they share the weights' file.

    After 0.6 s of silence it is flushed, and not fed again until there is speech.
    """

    name = "voxtral_realtime"
    Settings = VoxtralSettings
    settings: VoxtralSettings
    default_model = MODEL
    clocks = frozenset({ClockKind.WALL})
    sharing = Sharing.COPIES
    limits = LIMITS

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._processes: list[VoxtralProcess] = []
        self._serves: dict[AudioSource | None, VoxtralProcess] = {}
        self._session_served: Session | None = None

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return (self._program, self._model)

    @property
    def _program(self) -> Program:
        how_to_get = f"git clone {SOURCE} && make -C voxtral.c mps (blas on Linux)"
        return Program("voxtral", "ECHOBENCH_VOXTRAL_BIN", how_to_get, self.settings.binary)

    @property
    def _model(self) -> ModelFolder:
        how_to_get = "download_model.sh of voxtral.c (8.9 GB)"
        return ModelFolder(MODEL, "ECHOBENCH_VOXTRAL_MODEL", how_to_get, self.settings.folder)

    def locate_model(self, model: str) -> Path:
        """See `ASRProvider`."""
        folder = self._model.path() if model == MODEL else Path(model).expanduser()
        if folder is None:
            raise ModelError(f"model {model}", "no folder is given", self._model.remedy())
        check_model(folder)
        return folder

    def load(self, config: SessionConfig) -> None:
        """See `ResidentProvider`."""
        self._folder = self.locate_model(config.model)
        asyncio.run(self._load_all())

    async def _load_all(self) -> None:
        missing = self.settings.processes - len(self._processes)
        await asyncio.gather(*(self._start() for _ in range(missing)))

    def unload(self) -> None:
        """See `ResidentProvider`."""
        processes, self._processes, self._serves = self._processes, [], {}
        for process in processes:
            process.end()

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        """See `FeedThroughProvider`."""
        process = await self._process_for(listener.session, listener.source)
        report = partial(self.inferred, listener.session)
        stream = VoxtralStream(process, listener, report, self._discard)
        try:
            await process.attach(stream)
        except BaseException:
            await stream.close()
            raise
        return stream

    async def _discard(self, process: VoxtralProcess) -> None:
        """End a process that failed."""
        if process in self._processes:
            self._processes.remove(process)
            self._serves = {key: its for key, its in self._serves.items() if its is not process}
            self._resident = None if not self._processes else self._resident
        await asyncio.to_thread(process.end)

    async def _process_for(self, session: Session, source: AudioSource | None) -> VoxtralProcess:
        """Return the process that serves a source in this session, a free one, or a new one."""
        if self._session_served is not session:
            self._session_served, self._serves = session, {}
        for process in [process for process in self._processes if not process.is_usable]:
            await self._discard(process)
        if source not in self._serves:
            taken = self._serves.values()
            free = [process for process in self._processes if process not in taken]
            self._serves[source] = free[0] if free else await self._start()
            self._resident = session.config.model
        return self._serves[source]

    async def _start(self) -> VoxtralProcess:
        program, interval_s = self._program.path(), self.settings.interval_s
        argv = [program or "voxtral", "-d", str(self._folder), "--stdin", "-I", f"{interval_s:g}"]
        process = VoxtralProcess(
            self.name, [*argv, "--monitor"], interval_s, self.settings.answer_s
        )
        await process.start(self.settings.load_s)
        self._processes.append(process)
        return process


PROVIDER = VoxtralRealtime
