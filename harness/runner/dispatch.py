"""Starts a trial's activity; modules that only one activity needs are imported for it alone."""

from collections.abc import Callable, Coroutine, Sequence

from harness.contract import ASRProvider
from harness.journal.events import Event, MachineSeen
from harness.machine.profile import describe_machine
from harness.provider.timeouts import Timeouts
from harness.session.session import run_session
from harness.specs.trial import Activity, Transport, TrialSpec
from harness.timeline.corpus import CorpusUtterance
from harness.timeline.timeline import build_timeline


def start_trial(
    provider: ASRProvider,
    spec: TrialSpec,
    utterances: Sequence[CorpusUtterance],
    emit: Callable[[Event], None],
    timeouts: Timeouts,
) -> Coroutine[None, None, None]:
    """Prepare a trial, and return the coroutine to run on its clock.

    Args:
        provider: Its model is resident; conformance closes it.
        spec: The trial.
        utterances: The corpus.
        emit: Takes the trial's events, from any thread.
        timeouts: How long the provider may take to answer and to stop.
    """
    match spec.activity:
        case Activity.CONFORMANCE:
            from harness.activities.conformance import conform

            return conform(provider, spec, utterances, emit)
        case Activity.RESIDENCY:
            from harness.activities.residency import probe_residency

            return probe_residency(provider, spec, utterances, emit)
        case Activity.LADDER:
            from harness.activities.ladder_exercise.rules import exercised

            (track,) = build_timeline(spec.scenario, utterances, spec.seed)
            return exercised(provider, spec, track, emit, timeouts)
    emit(MachineSeen(machine=describe_machine()))
    tracks = build_timeline(spec.scenario, utterances, spec.seed)
    for track in tracks:
        for utterance in track.truth:
            emit(utterance)
    play = run_session
    if spec.transport is Transport.WS:
        from harness.live.trial import run_over_wire as play
    return play(provider, spec, tracks, emit, timeouts)
