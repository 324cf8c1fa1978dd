"""Worker process that keeps a model resident and runs trials: `python -m harness.runner.worker`.

It gets requests from the run and sends events to it, see `ParentPipe`. When the run is gone, the
worker ends itself and its children at once.
"""

import gc
import queue
import time
import traceback
from collections.abc import Callable

import msgspec

from harness import clock
from harness.activities.startup import infer_chunk, load_and_probe
from harness.clock import ClockKind
from harness.contract import ASRProvider
from harness.errors import EchobenchError, UsageError
from harness.journal.events import Event, TrialEnded, encode
from harness.meters.audit_hook import AUDIT_HOOK
from harness.processes.framing import Outbox
from harness.processes.parent import ParentPipe
from harness.provider.attribution import provider_errors
from harness.provider.registry import corpus_path, find_corpus, make_provider
from harness.provider.timeouts import DEFAULT
from harness.runner.dispatch import start_trial
from harness.runner.requests import Infer, Load, Measure, Request
from harness.specs.trial import Activity, TrialStatus, status_of
from harness.support.sanitize import sendable
from harness.timeline.corpus import CorpusUtterance


class Worker:
    """Answers requests with the provider that it has loaded.

    Args:
        emit: Sends an event, from any thread.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._provider: ASRProvider | None = None
        self._model = ""
        self._utterances: list[CorpusUtterance] = []
        self._timeouts = DEFAULT

    def answer(self, request: Request) -> None:
        """Execute a request, and send its status."""
        begin_s = time.monotonic()
        status, reason = TrialStatus.OK, ""
        try:
            self._do(request)
        except EchobenchError as error:
            status, reason = status_of(error), str(error)
        except Exception:  # noqa: BLE001  (an error of the harness, reported in full)
            status, reason = TrialStatus.HARNESS_ERROR, traceback.format_exc()
        reason = sendable(reason)
        wall_s = time.monotonic() - begin_s
        self._emit(TrialEnded(status=status, reason=reason, wall_s=wall_s))

    def _do(self, request: Request) -> None:
        if isinstance(request, Load):
            self._utterances = find_corpus(request.corpus)
            AUDIT_HOOK.keep_secret(filter(None, [corpus_path(request.corpus)]))
            self._model, self._timeouts = request.model, request.timeouts
            with provider_errors(request.provider):
                self._provider = make_provider(request.provider, request.settings)
            spawn_s = time.monotonic() - request.spawned_at_s
            probing = load_and_probe(self._provider, request.model, self._utterances[0], spawn_s)
            self._emit(clock.run(probing, ClockKind.WALL))
            gc.freeze()  # the model and the libraries stay: don't scan them again
            return
        if self._provider is None:
            raise UsageError("worker", "nothing is loaded", "a load first")
        match request:
            case Measure(spec=spec):
                trial = start_trial(
                    self._provider, spec, self._utterances, self._emit, self._timeouts
                )
                clock.run(trial, spec.clock)
                if spec.activity is Activity.CONFORMANCE:
                    self._provider = None  # it is closed
            case Infer(chunk_seconds=chunk_s):
                job = infer_chunk(self._provider, self._model, self._utterances, chunk_s)
                clock.run(job, ClockKind.WALL)


def main() -> None:
    """Serve requests until the run is gone."""
    parent = ParentPipe()
    outbox = Outbox(parent.outgoing)  # a trial never waits for the reader of its events
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    parent.listen(msgspec.json.Decoder(Request).decode, requests.put)
    AUDIT_HOOK.install()
    worker = Worker(lambda event: outbox.send(encode(event)))
    while True:
        worker.answer(requests.get())


if __name__ == "__main__":
    main()
