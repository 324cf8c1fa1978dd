"""A session with a ladder: that of any provider, and what degrades it when it is overloaded."""

from collections.abc import Callable, Mapping, Sequence

from harness.contract import SessionConfig
from harness.errors import EchobenchError
from harness.journal.events import Event
from harness.ladder.actions import Switch, drop_every_other, longer_chunks, vad_off
from harness.ladder.degrader import Degrader
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.load_meter import LoadMeter
from harness.ladder.state_machine import LadderConfig
from harness.meters.meters import Meters
from harness.provider.timeouts import Timeouts
from harness.session.chunk_queue import Tap, no_tap
from harness.session.session import Input, RunningSession, hold_session


async def hold_degradable_session(
    failover: FailoverProvider,
    session_id: str,
    config: SessionConfig,
    inputs: Sequence[Input],
    queue_s: float,
    emit: Callable[[Event], None],
    timeouts: Timeouts,
    rules: LadderConfig,
    switches: Mapping[str, Switch],
    on_begin: Callable[[RunningSession, Degrader], None] = lambda running, degrader: None,
    meters: Meters | None = None,
    vad: str | None = None,
    tap: Tap = no_tap,
) -> None:
    """Hold a session whose providers can be changed; see `hold_session`.

    Args:
        failover: The providers.
        session_id: The session's.
        config: The session's.
        inputs: The sources.
        queue_s: Audio that may wait behind a source's newest chunk.
        emit: Takes events, from any thread.
        timeouts: How long a provider may take to answer and to stop.
        rules: The ladder.
        switches: What its actions do, beside those on chunks, which every session has.
        on_begin: Called when the session has begun, before any audio.
        meters: What looks at the process and the machine; the session's own when None.
        vad: The detector that filters silence out before the queue; None for no filter.
        tap: Is called with each chunk that a provider takes.

    Raises:
        EchobenchError: As of `hold_session`, and when a provider failed and none took over.
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
        failover,
        session_id,
        config,
        inputs,
        queue_s,
        tapped,
        timeouts,
        [degrade],
        failover.give_up,
        meters,
        vad,
        tap,
    )
