"""Measures trials one after another, and writes their events to the journal."""

import time
from collections.abc import Sequence
from typing import Protocol

from harness.journal.events import AnyEvent, Event, TrialEnded, TrialStarted, encode
from harness.journal.journal import JournalWriter
from harness.runner.pool import WorkerPool
from harness.runner.requests import Measure
from harness.runner.supervisor import WorkerFailedError
from harness.runner.validity import Limits, limits_asked_for, spoiled
from harness.specs.trial import Activity, TrialSpec, TrialStatus


class Progress(Protocol):
    """Observer of a run's progress."""

    def trial_begins(self, spec: TrialSpec, number: int, of: int) -> None:
        """A trial begins."""

    def event(self, event: Event) -> None:
        """The trial emitted an event."""

    def trial_ends(self, ended: TrialEnded) -> None:
        """The trial is over."""


def measure_all(
    specs: Sequence[TrialSpec], pool: WorkerPool, journal: JournalWriter, progress: Progress
) -> None:
    """Measure trials, in an order that loads each model once.

    A trial that fails ends with a status, and doesn't affect the others.

    Raises:
        UsageError: The limits on a trial's validity can't be read.
        JournalError: The journal can't be written; what was written before stays.
    """
    limits = limits_asked_for()
    ordered = sorted(specs, key=lambda spec: (spec.provider, spec.model, _closes(spec)))
    for number, spec in enumerate(ordered, 1):
        progress.trial_begins(spec, number, len(ordered))
        journal.begin(TrialStarted(key=spec.key, spec=spec))
        ended = _measure_one(spec, pool, journal, progress, limits)
        journal.end(ended)
        progress.trial_ends(ended)


def _closes(spec: TrialSpec) -> bool:
    """Whether a trial closes its provider, so that the next one must load it again."""
    return spec.activity is Activity.CONFORMANCE


def _measure_one(
    spec: TrialSpec, pool: WorkerPool, journal: JournalWriter, progress: Progress, limits: Limits
) -> TrialEnded:
    events: list[AnyEvent] = []

    def note(line: bytes, event: AnyEvent) -> None:
        journal.append(line)
        events.append(event)
        progress.event(event)

    begin_s = time.monotonic()
    status, reason = TrialStatus.OK, ""
    try:
        journal.append(encode(pool.make_resident(spec)))
        pool.ask(Measure(spec=spec), note)
    except WorkerFailedError as error:
        status, reason = error.status, error.problem
    else:
        if problems := spoiled(events, spec.chunk_seconds, limits):
            status, reason = TrialStatus.VOID, "; ".join(problems)
    return TrialEnded(status=status, reason=reason, wall_s=time.monotonic() - begin_s)
