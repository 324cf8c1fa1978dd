"""Keeps one worker process with the current trial's model resident in it."""

from collections.abc import Callable

from harness.journal.events import AnyEvent, Loaded, TrialEnded
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.runner.requests import Load, Measure, Request
from harness.runner.supervisor import WorkerFailedError, WorkerProcess
from harness.specs.trial import Activity, TrialSpec, TrialStatus

OnEvent = Callable[[bytes, AnyEvent], None]


class WorkerPool:
    """One worker at a time, so that trials share neither memory nor processors.

    Args:
        timeouts: How long a worker may load or send nothing.
    """

    def __init__(self, timeouts: Timeouts = DEFAULT) -> None:
        self._timeouts = timeouts
        self._worker: WorkerProcess | None = None
        self._wanted: tuple[object, ...] = ()
        self._loaded: Loaded | None = None
        self._unloadable: dict[str, WorkerFailedError] = {}

    @property
    def pid(self) -> int | None:
        """The worker's process id; None without a worker."""
        return self._worker.pid if self._worker else None

    def make_resident(self, spec: TrialSpec) -> Loaded:
        """Load the trial's model in a fresh worker unless it is resident; return how it was loaded.

        A failed load isn't repeated, since it may take many minutes.

        Raises:
            WorkerFailedError: The model couldn't be loaded.
        """
        wanted = (spec.provider, spec.model, spec.settings, spec.corpus)
        if self._loaded is not None and wanted == self._wanted:
            return self._loaded
        if (failure := self._unloadable.get(repr(wanted))) is not None:
            raise failure
        self.close()
        self._worker = WorkerProcess()
        load = Load(
            provider=spec.provider,
            model=spec.model,
            settings=spec.settings,
            corpus=spec.corpus,
            spawned_at_s=self._worker.spawned_at_s,
            timeouts=self._timeouts,
        )
        try:
            self.ask(load, self._note_loaded)
        except WorkerFailedError as error:
            self._unloadable[repr(wanted)] = error
            raise
        assert self._loaded is not None
        self._wanted = wanted
        return self._loaded

    def ask(self, request: Request, on_event: OnEvent) -> None:
        """Send a request to the resident worker, and pass on its events as they come.

        After any failure the worker is ended, and the next trial gets a fresh one.

        Raises:
            WorkerFailedError: The worker or its request failed.
        """
        assert self._worker is not None
        loads = isinstance(request, Load)
        silence_s = self._timeouts.load_s if loads else self._timeouts.silence_s
        try:
            for line, event in self._worker.ask(request, silence_s):
                if isinstance(event, TrialEnded):
                    if event.status is not TrialStatus.OK:
                        raise WorkerFailedError(event.status, event.reason)
                else:
                    on_event(line, event)
        except WorkerFailedError:
            self.close()
            raise
        if isinstance(request, Measure) and request.spec.activity is Activity.CONFORMANCE:
            self.close()  # its last rule closes the provider

    def close(self) -> None:
        """End the worker, if there is one."""
        if self._worker is not None:
            self._worker.end()
        self._worker = self._loaded = None

    def _note_loaded(self, _: bytes, event: AnyEvent) -> None:
        if isinstance(event, Loaded):
            self._loaded = event
