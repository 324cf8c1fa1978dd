"""Runs a trial over a WebSocket: plays the tracks through a live server on this machine.

The trial's record is the events of the server's session, but segments count from their arrival at
the client, so latencies include both ways through the socket. Server, client and provider share a
process and its clock.
"""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Sequence

import msgspec

from harness.clock import now_s
from harness.contract import ASRProvider, ASRSegment, AudioSource
from harness.errors import EchobenchError
from harness.journal.events import ClientMetrics, Event, Queued, SegmentArrived
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.state_machine import without_load
from harness.live.client.client import LiveClient, connected
from harness.live.protocol.messages import Final, FromServer, Metrics, Partial, Ready
from harness.live.server.acceptor import listening
from harness.live.server.admission import PATH, Admission
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot, ProviderSlots
from harness.live.server.server import LiveServer
from harness.live.server.session import LiveSession, LiveSettings
from harness.live.server.session_log import SessionLog
from harness.meters.meters import Meters
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.session.beep_tap import BeepTap
from harness.session.session import Emit
from harness.session.settings import SessionSettings
from harness.specs.trial import TrialSpec
from harness.timeline.timeline import Track

LOOPBACK = "127.0.0.1"


async def run_over_wire(
    provider: ASRProvider,
    spec: TrialSpec,
    tracks: Sequence[Track],
    emit: Emit,
    timeouts: Timeouts = DEFAULT,
) -> None:
    """Play the tracks to the provider through a live server (`session.session.run_session`).

    Raises:
        ProviderError: The provider failed, got stuck or broke the contract.
        AudioError, ModelError, UnavailableError: As the provider raised them.
    """
    limits, token, meters = LiveLimits(), secrets.token_urlsafe(), Meters()
    slots = ProviderSlots(lambda: ProviderSlot(FailoverProvider([Member(provider, spec.model)])), 1)
    session_settings = SessionSettings.of_trial(spec, timeouts, meters)
    settings = LiveSettings(session_settings, without_load(), limits)
    beeps = BeepTap(tracks, emit)
    recorder = TrialRecorder(tracks, beeps.emit)
    live = LiveServer(slots, settings, SessionLog(None), recorder.note, beeps.take)
    admission = Admission(limits, token, ())
    with contextlib.closing(meters):
        async with (
            listening(live, admission, limits, LOOPBACK, 0),
            connected(f"ws://{LOOPBACK}:{admission.port}{PATH}", token) as client,
        ):
            await client.start([track.source for track in tracks], spec.key)
            try:
                await _follow(client, tracks, live, recorder)
            except EchobenchError as error:
                failures = [session.failure for session in live.past if session.failure is not None]
                raise (*failures, error)[0] from None  # the original error, if there is one


async def _follow(
    client: LiveClient, tracks: Sequence[Track], live: LiveServer, recorder: "TrialRecorder"
) -> None:
    playing: list[asyncio.Task[None]] = []
    try:
        async for message in client.messages():
            if isinstance(message, Ready):
                origin_s = now_s()
                recorder.begin(live.sessions[message.session], origin_s)
                playing = [
                    asyncio.create_task(_play(client, track, origin_s, recorder))
                    for track in tracks
                ]
            else:
                recorder.take(message)
    finally:
        for task in playing:
            task.cancel()


async def _play(
    client: LiveClient, track: Track, origin_s: float, recorder: "TrialRecorder"
) -> None:
    begin_s = origin_s + track.start_s
    lateness = await client.play(track.source, track.audio, begin_s, track.rate_hz)
    recorder.emit(lateness.played(track.source, len(track.audio), now_s() - origin_s))


class TrialRecorder:
    """Merges the server's events and the client's messages into a trial's events.

    Args:
        tracks: The tracks that are played.
        emit: Takes the trial's events, from any thread.
    """

    def __init__(self, tracks: Sequence[Track], emit: Emit) -> None:
        self.session: LiveSession | None = None
        self.emit = emit
        self._tracks = {track.source: track for track in tracks}
        self._early: list[Event] = []
        self._shift_s: float | None = None
        self._origin_s = 0.0
        self._lock = threading.Lock()

    def begin(self, session: LiveSession, origin_s: float) -> None:
        """Set the trial's zero; earlier events get negative times."""
        self.session, self._origin_s = session, origin_s
        with self._lock:
            self._shift_s = session.origin_s - origin_s
            early, self._early = self._early, []
        for event in early:
            self.note(event)

    def note(self, event: Event) -> None:
        """Take an event of the server's session, in that session's time; from any thread."""
        with self._lock:
            if self._shift_s is None:
                self._early.append(event)
                return
        if not isinstance(event, SegmentArrived):  # segments count from the client's message
            self.emit(self._in_trial_time(event, self._shift_s))

    def take(self, message: FromServer) -> None:
        """Take a message that the client received."""
        at_s = now_s() - self._origin_s
        match message:
            case Partial() | Final():
                self.emit(SegmentArrived(at_s=at_s, segment=_segment(message)))
            case Metrics():
                self.emit(ClientMetrics(at_s=at_s, rtf=message.rtf, health=message.health))

    def _in_trial_time(self, event: Event, shift_s: float) -> Event:
        event = event.shifted(shift_s)
        if isinstance(event, Queued):
            track = self._tracks[event.source]  # as played, not as received
            due_s = track.start_s + (event.first_sample + event.samples) / track.rate_hz
            return msgspec.structs.replace(event, due_s=due_s)
        return event


def _segment(text: Partial | Final) -> ASRSegment:
    return ASRSegment(
        source=AudioSource(text.source),
        segment_id=text.segment_id,
        revision=text.revision,
        is_final=isinstance(text, Final),
        text=text.text,
        t0=text.t0,
        t1=text.t1,
        words=text.words,
        stable_words=text.stable_words,
    )
