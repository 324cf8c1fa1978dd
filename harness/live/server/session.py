"""Runs a live session: takes audio frames, and sends captions and figures to its listeners."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from harness.clock import now_s
from harness.contract import AudioSource
from harness.errors import EchobenchError
from harness.journal.events import (
    Backpressure,
    Dropped,
    Event,
    Inferred,
    LadderMoved,
    Sampled,
    SegmentArrived,
    TrialEnded,
)
from harness.ladder.degrader import Degrader
from harness.ladder.session import hold_degradable_session
from harness.ladder.state_machine import LadderConfig
from harness.live.protocol.close_codes import Close, RefusalError
from harness.live.protocol.frames import Frame
from harness.live.protocol.messages import (
    Ended,
    Failed,
    Final,
    FromServer,
    Metrics,
    Partial,
    Pressure,
    Ready,
    SourceState,
    Status,
    Warned,
    text_of,
)
from harness.live.server.intake import Intake
from harness.live.server.limits import LiveLimits
from harness.live.server.outbox import Outbox
from harness.live.server.provider_slots import ProviderSlot
from harness.live.server.session_log import SessionLog
from harness.session.chunk_queue import Tap
from harness.session.session import Emit, Input, RunningSession
from harness.session.settings import SessionSettings
from harness.specs.trial import TrialStatus, status_of
from harness.support.sanitize import sendable

REPLAYED_FINALS = 200
"""Finals that a listener who joins later gets."""


@dataclass(frozen=True)
class LiveSettings:
    """Settings of a live server's sessions."""

    session: SessionSettings
    rules: LadderConfig
    limits: LiveLimits


class LiveSession:
    """One session, from the first message to the last final.

    Args:
        name: Its name.
        sources: Its sources.
        slot: The providers.
        settings: Its settings.
        session_log: Keeps its journal.
        note: Also takes every event, from any thread.
        tap: Called with each chunk that a provider takes.
    """

    def __init__(
        self,
        name: str,
        sources: tuple[AudioSource, ...],
        slot: ProviderSlot,
        settings: LiveSettings,
        session_log: SessionLog,
        note: Emit,
        tap: Tap,
    ) -> None:
        self.name, self.sources, self._slot, self._settings = name, sources, slot, settings
        self.intakes = {source: Intake(source, settings.limits) for source in sources}
        self.listeners: set[Outbox] = set()
        self.failure: EchobenchError | None = None
        self.task: asyncio.Task[None] | None = None
        """The task that runs it; set by the server."""
        self._session_log, self._note, self._tap = session_log, note, tap
        self._finals: list[Final] = []
        self._open: dict[AudioSource, Partial] = {}
        self._count = 0
        self._dropped: Counter[AudioSource] = Counter()
        self._running: RunningSession | None = None
        self._degrader: Degrader | None = None

    async def run(self) -> None:
        """Run the session to its end, and send the listeners its outcome."""
        settings = self._settings
        self._session_log.begin(self.name, self.sources, self._slot, settings.session)
        begin_s, status, reason = now_s(), TrialStatus.HARNESS_ERROR, "the server failed"
        inputs = [Input(source, 0.0, intake.play) for source, intake in self.intakes.items()]
        try:
            await hold_degradable_session(
                self._slot.failover,
                self.name,
                settings.session,
                inputs,
                self._take,
                settings.rules,
                self._slot.switches(),
                on_begin=self._on_begin,
                tap=self._tap,
            )
        except asyncio.CancelledError:
            status, reason = TrialStatus.INTERRUPTED, "the server was stopped"
            raise
        except EchobenchError as error:
            self.failure = error
            status, reason = status_of(error), str(error)
            self._send(Failed(code=Close.PROVIDER_FAILED, message=str(error)))
        else:
            status, reason = TrialStatus.OK, ""
            self._send(Ended(session=self.name, finals=self._count))
        finally:
            ended = TrialEnded(status=status, reason=sendable(reason), wall_s=now_s() - begin_s)
            self._session_log.keep(self.name, ended)

    def push(self, frame: Frame) -> None:
        """Receive a frame.

        Raises:
            RefusalError: It is of no source of this session, or breaks a rule of `Intake.push`.
        """
        intake = self.intakes.get(frame.source)
        if intake is None:
            problem = f"audio of {frame.source}"
            raise RefusalError(Close.UNKNOWN, problem, ", ".join(self.sources))
        if (warning := intake.push(frame)) is not None:
            self._send(Warned(message=warning))

    def end(self, source: AudioSource) -> None:
        """End a source on the sender's request.

        Raises:
            RefusalError: The session has no such source.
        """
        if source not in self.intakes:
            raise RefusalError(Close.UNKNOWN, f"the end of {source}", ", ".join(self.sources))
        self.intakes[source].end()

    def stop(self) -> None:
        """End all sources from the server's side."""
        for intake in self.intakes.values():
            intake.stop()

    async def reset(self, reason: str) -> None:
        """Take the session back to the normal level on a user's request."""
        if self._degrader is not None:
            await self._degrader.reset(reason)

    def listen(self, outbox: Outbox) -> None:
        """Add a listener; it also gets the last finals and the open partials."""
        self.listeners.add(outbox)
        if self._running is not None:
            outbox.put(self._ready())
            for final in self._finals:
                outbox.put(final)
            for partial in self._open.values():
                outbox.put(partial)

    @property
    def origin_s(self) -> float:
        """The session's zero on the running clock, once it is ready."""
        assert self._running is not None
        return self._running.origin_s

    @property
    def level(self) -> str:
        """Its level on the ladder."""
        return self._degrader.level.word if self._degrader else "normal"

    def _on_begin(self, running: RunningSession, degrader: Degrader) -> None:
        self._running, self._degrader = running, degrader
        self._send(self._ready())

    def _ready(self) -> Ready:
        return Ready(
            session=self.name,
            provider=self._slot.first.provider.name,
            model=self._slot.first.model,
            chunk_seconds=self._settings.session.chunk_seconds,
            sources=self.sources,
            level=self.level,
        )

    def _take(self, event: Event) -> None:
        """Take an event of the session, from any thread if it is `Inferred`."""
        self._note(event)
        self._session_log.keep(self.name, event)
        match event:
            case Inferred():
                return
            case SegmentArrived(segment=segment):
                self._send_text(text_of(segment))
            case Dropped(source=source):
                self._dropped[source] += 1
            case Backpressure(source=source, at_s=at_s, level=level, reason=reason):
                self._send(Pressure(source=source, at_s=at_s, level=level, reason=reason))
            case LadderMoved():
                self._send(
                    Status(
                        at_s=event.at_s,
                        level=event.after,
                        before=event.before,
                        cause=event.cause,
                        message=event.message,
                        actions=event.actions,
                    )
                )
            case Sampled():
                self._send(self._metrics(event))

    def _send_text(self, text: Partial | Final) -> None:
        if isinstance(text, Final):
            self._count += 1
            self._finals = [*self._finals[1 - REPLAYED_FINALS :], text]
            self._open.pop(text.source, None)
        else:
            self._open[text.source] = text
        self._send(text)

    def _metrics(self, sampled: Sampled) -> Metrics:
        at_s = now_s() - self._running.origin_s if self._running else sampled.at_s
        return Metrics(
            at_s=sampled.at_s,
            rtf=self._degrader.meter.rtf(at_s) if self._degrader else None,
            level=self.level,
            sources=self._source_states(),
            health=sampled.health,
            cpu_s=sampled.cpu_s,
            rss_bytes=sampled.rss_bytes,
            listeners=len(self.listeners),
        )

    def _source_states(self) -> dict[AudioSource, SourceState]:
        states = {}
        for queue in self._running.queues if self._running else ():
            intake = self.intakes[queue.source]
            states[queue.source] = SourceState(
                received_s=intake.received_s,
                queued_chunks=queue.depth,
                queued_s=queue.waiting_s,
                dropped_chunks=self._dropped[queue.source],
                lost_s=intake.lost_s,
                transit_ms=None if intake.transit_s is None else 1000 * intake.transit_s,
            )
        return states

    def _send(self, message: FromServer) -> None:
        for outbox in list(self.listeners):
            outbox.put(message)
            if outbox.cut_off:
                self.listeners.discard(outbox)
