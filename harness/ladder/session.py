"""Runs a session that the ladder degrades when it is overloaded."""

from collections.abc import Callable, Mapping, Sequence

from harness.errors import EchobenchError
from harness.journal.events import Event
from harness.ladder.actions import Switch, drop_every_other, longer_chunks, vad_off
from harness.ladder.degrader import Degrader
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.load_meter import LoadMeter
from harness.ladder.state_machine import LadderConfig
from harness.session.chunk_queue import Tap, no_tap
from harness.session.session import Input, RunningSession, hold_session
from harness.session.settings import SessionSettings


async def hold_degradable_session(
    failover: FailoverProvider,
    session_id: str,
    settings: SessionSettings,
    inputs: Sequence[Input],
    emit: Callable[[Event], None],
    rules: LadderConfig,
    switches: Mapping[str, Switch],
    *,
    on_begin: Callable[[RunningSession, Degrader], None] = lambda running, degrader: None,
    tap: Tap = no_tap,
) -> None:
    """Hold a session (`hold_session`) that can switch providers, with a ladder beside it.

    Args:
        failover: The providers, each with its model.
        session_id: The session's.
        settings: The session's settings.
        inputs: The sources.
        emit: Takes events, from any thread.
        rules: The ladder.
        switches: The actions that switch providers; those on chunks and the filter are added.
        on_begin: Called when the session has begun, before any audio.
        tap: Called with each chunk that a provider takes.

    Raises:
        EchobenchError: As `hold_session` raises, and when a provider failed and none took over.
    """
    meter = LoadMeter()

    def tapped(event: Event) -> None:
        meter.note(event)
        emit(event)

    async def degrade(running: RunningSession) -> None:
        every: dict[str, Switch] = {
            "longer_chunks": longer_chunks(running.chunkers),
            "drop_every_other": drop_every_other(running.queues),
            **switches,
        }
        if running.prefilters:
            every["vad_off"] = vad_off(running.prefilters)
        degrader = Degrader(rules, every, tapped, running.origin_s, meter)

        async def failed(member: Member, error: EchobenchError) -> None:
            await degrader.provider_failed(error)

        failover.on_failure = failed
        on_begin(running, degrader)
        await degrader.run()

    await hold_session(
        failover, session_id, failover.members[0].model, settings, inputs, tapped,
        tap=tap, side_tasks=[degrade], on_stalled=failover.give_up,
    )  # fmt: skip
