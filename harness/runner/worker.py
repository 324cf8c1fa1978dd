"""The process that holds a model resident and runs trials on it: `python -m harness.runner.worker`.

Requests come on standard input, events go to what was standard output; from then on standard
output is standard error, so whatever an engine prints can't break the protocol. When standard
input ends, the run is gone, and the worker ends itself and its children at once.
"""

import contextlib
import gc
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Iterator

import msgspec

from harness import clock
from harness.activities.startup import infer_chunk, load_and_probe
from harness.clock import ClockKind
from harness.contract import ASRProvider
from harness.errors import (
    AudioError,
    BadOutputError,
    EchobenchError,
    ModelError,
    ProviderError,
    StalledError,
    UnavailableError,
    UsageError,
)
from harness.journal.events import Event, TrialEnded, encode
from harness.meters.audit_hook import AUDIT_HOOK
from harness.processes.descendants import kill_own_group
from harness.processes.pipes import own_pipes
from harness.provider.attribution import provider_errors
from harness.provider.registry import corpus_path, find_corpus, make_provider
from harness.provider.timeouts import DEFAULT
from harness.runner.dispatch import start_trial
from harness.runner.requests import Infer, Load, Measure, Request
from harness.specs.trial import Activity, TrialStatus
from harness.support.sanitize import sendable
from harness.timeline.corpus import CorpusUtterance

STATUS_OF = {
    StalledError: TrialStatus.TIMEOUT,
    BadOutputError: TrialStatus.BAD_OUTPUT,
    ProviderError: TrialStatus.PROVIDER_ERROR,
    UnavailableError: TrialStatus.UNSUPPORTED,
    AudioError: TrialStatus.BAD_INPUT,
    ModelError: TrialStatus.BAD_INPUT,
    UsageError: TrialStatus.BAD_INPUT,
}
"""First match wins, so a class stands before its base."""


class Channel:
    """The two ends of the protocol; writing never waits for the reader."""

    def __init__(self) -> None:
        incoming, outgoing = own_pipes()
        self._in, self._out = os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, daemon=True, name="events")
        self._writer.start()
        threading.Thread(target=self._read, daemon=True, name="requests").start()

    def emit(self, event: Event) -> None:
        """Send an event; from any thread."""
        self._lines.put(encode(event) + b"\n")

    def requests(self) -> Iterator[Request]:
        """Wait for requests, for ever."""
        while True:
            yield self._requests.get()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(BrokenPipeError):  # the reader thread sees that too
                self._out.write(line)
                self._out.flush()

    def _read(self) -> None:
        decode = msgspec.json.Decoder(Request).decode
        for line in self._in:
            self._requests.put(decode(line))
        kill_own_group()


class Worker:
    """Answers requests with the one provider that it holds."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._provider: ASRProvider | None = None
        self._model = ""
        self._utterances: list[CorpusUtterance] = []
        self._timeouts = DEFAULT

    def answer(self, request: Request) -> None:
        """Do what is asked, and say how it ended."""
        begin_s = time.monotonic()
        status, reason = TrialStatus.OK, ""
        try:
            self._do(request)
        except EchobenchError as error:
            matches = (status for kind, status in STATUS_OF.items() if isinstance(error, kind))
            status, reason = next(matches, TrialStatus.HARNESS_ERROR), str(error)
        except Exception:  # noqa: BLE001  (the harness' own fault, told in full)
            status, reason = TrialStatus.HARNESS_ERROR, traceback.format_exc()
        reason = sendable(reason)
        wall_s = time.monotonic() - begin_s
        self._channel.emit(TrialEnded(status=status, reason=reason, wall_s=wall_s))

    def _do(self, request: Request) -> None:
        emit = self._channel.emit
        if isinstance(request, Load):
            self._utterances = find_corpus(request.corpus)
            AUDIT_HOOK.keep_secret(filter(None, [corpus_path(request.corpus)]))
            self._model, self._timeouts = request.model, request.timeouts
            with provider_errors(request.provider):
                self._provider = make_provider(request.provider, request.settings)
            spawn_s = time.monotonic() - request.spawned_at_s
            probing = load_and_probe(self._provider, request.model, self._utterances[0], spawn_s)
            emit(clock.run(probing, ClockKind.WALL))
            gc.freeze()  # the model and the libraries are here to stay: don't scan them again
            return
        if self._provider is None:
            raise UsageError("worker", "nothing is loaded", "a load first")
        match request:
            case Measure(spec=spec):
                trial = start_trial(self._provider, spec, self._utterances, emit, self._timeouts)
                clock.run(trial, spec.clock)
                if spec.activity is Activity.CONFORMANCE:
                    self._provider = None  # it is closed
            case Infer(chunk_seconds=chunk_s):
                job = infer_chunk(self._provider, self._model, self._utterances, chunk_s)
                clock.run(job, ClockKind.WALL)


def main() -> None:
    """Serve requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends us
    channel = Channel()
    AUDIT_HOOK.install()
    worker = Worker(channel)
    for request in channel.requests():
        worker.answer(request)


if __name__ == "__main__":
    main()
