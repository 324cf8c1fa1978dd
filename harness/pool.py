"""Keeps one worker, with the model of the trial at hand resident in it."""

from collections.abc import Callable

from harness.errors import EchobenchError
from harness.events import AnyEvent, Loaded, TrialEnded
from harness.requests import Load, Request
from harness.supervisor import WorkerProcess
from harness.trial import TrialSpec, TrialStatus

LOAD_SILENCE_S = 900.0
"""A model of many gigabytes, from a slow disk, may take this long."""
SILENCE_S = 150.0
"""A worker reports every second, and finds stuck providers by itself unless it is stuck too."""

OnEvent = Callable[[bytes, AnyEvent], None]


class RequestFailedError(EchobenchError):
    """The worker did as it was asked, and it went wrong in a way that it could tell."""

    def __init__(self, ended: TrialEnded) -> None:
        super().__init__("worker", ended.reason)
        self.status = ended.status


class WorkerPool:
    """One worker at a time, so that trials share neither memory nor processors."""

    def __init__(self) -> None:
        self._worker: WorkerProcess | None = None
        self._wanted: tuple[object, ...] = ()
        self._loaded: Loaded | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process, while there is one."""
        return self._worker.pid if self._worker else None

    def make_resident(self, spec: TrialSpec) -> Loaded:
        """Return how the trial's model was loaded, loading it in a fresh worker if it isn't there.

        Raises:
            WorkerFailedError, RequestFailedError: It couldn't be loaded.
        """
        wanted = (spec.provider, spec.model, spec.settings, spec.corpus)
        if self._loaded is not None and wanted == self._wanted:
            return self._loaded
        self.close()
        self._worker = WorkerProcess()
        load = Load(
            provider=spec.provider,
            model=spec.model,
            settings=spec.settings,
            corpus=spec.corpus,
            spawned_at_s=self._worker.spawned_at_s,
        )
        self.ask(load, self._note_loaded, LOAD_SILENCE_S)
        assert self._loaded is not None
        self._wanted = wanted
        return self._loaded

    def ask(self, request: Request, on_event: OnEvent, silence_s: float = SILENCE_S) -> None:
        """Send a request to the resident worker, and hand on its events as they come.

        Raises:
            WorkerFailedError: The worker died, fell silent or sent garbage.
            RequestFailedError: What was asked went wrong.
        """
        assert self._worker is not None
        for line, event in self._worker.ask(request, silence_s):
            if isinstance(event, TrialEnded):
                if event.status is not TrialStatus.OK:
                    raise RequestFailedError(event)
            else:
                on_event(line, event)

    def close(self) -> None:
        """End the worker, if there is one."""
        if self._worker is not None:
            self._worker.end()
        self._worker = self._loaded = None

    def _note_loaded(self, _: bytes, event: AnyEvent) -> None:
        if isinstance(event, Loaded):
            self._loaded = event
