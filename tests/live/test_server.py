"""The live server, spoken to as an app would: captions, figures, levels, and the end."""

import asyncio
import threading
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from harness.journal.events import SessionEnded
from harness.ladder.state_machine import LadderConfig, read_rules
from harness.live.protocol.messages import (
    Ended,
    Final,
    Metrics,
    Partial,
    Pressure,
    Ready,
    Status,
    Warned,
)
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot
from tests.ladder.numbers import Numbers
from tests.live.rig import MIC, SYSTEM, client, finals_of, kept, run, seat_of, serving, until_free


def test_what_is_sent_comes_back_as_text() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            ready = await app.start(session="meeting")
            assert ready == Ready(
                session="meeting", provider="numbers", model="first", chunk_seconds=0.5,
                sources=(MIC,), level="normal",
            )  # fmt: skip
            await app.count_to(10)
            await app.say(type="end", source="mic")
            assert await app.closed() == (1000, "all was answered")
            assert app.numbers() == list(range(1, 11))
            assert app.of(Partial)
            assert [type(message) for message in app.inbox[-1:]] == [Ended]
            assert app.of(Ended)[0] == Ended(session="meeting", finals=len(app.of(Final)))
            ids = [final.segment_id for final in app.of(Final)]
            assert ids == sorted(set(ids))

    run(session())


def test_two_sources_are_captioned_side_by_side() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start(MIC, SYSTEM)
            await asyncio.gather(app.count_to(8), app.count_to(508, SYSTEM, first=501))
            for source in (MIC, SYSTEM):
                await app.say(type="end", source=source)
            await app.closed()
            assert app.numbers(MIC) == list(range(1, 9))
            assert app.numbers(SYSTEM) == list(range(501, 509))

    run(session())


def test_sessions_share_the_thread_that_looks_at_the_process() -> None:
    """To start one for each would hold up all others, for milliseconds."""

    def threads() -> set[threading.Thread]:
        own = {"numbers"}  # each provider's own
        return {each for each in threading.enumerate() if each.name.split("_")[0] not in own}

    async def session() -> int:
        async with serving(slots=2) as rig, client(rig) as one, client(rig) as other:
            await one.start()
            await one.until(Metrics)
            before = threads()
            await other.start()
            await other.until(Metrics)
            return len(threads() - before)

    assert run(session()) == 0


@pytest.mark.slow
def test_metrics_come_once_a_second_and_add_up() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start()
            await app.count_to(6)
            for _ in range(3):
                await app.until(Metrics)
            figures = app.of(Metrics)
            apart = [after.at_s - before.at_s for before, after in pairwise(figures)]
            assert all(0.9 < each < 2.5 for each in apart), apart
            last = figures[-1]
            assert last.sources[MIC].received_s == pytest.approx(3.0)
            assert (last.sources[MIC].dropped_chunks, last.sources[MIC].lost_s) == (0, 0.0)
            assert last.health.audio["mic"].received == 48_000
            assert last.health.audio["mic"].pending == 0
            assert (last.level, last.listeners) == ("normal", 1)
            assert last.rss_bytes > 1e6
            assert last.sources[MIC].transit_ms is not None

    run(session())


def test_onlookers_see_what_the_sender_sees() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as early, client(rig) as app:
            await early.say(type="watch")
            await early.until(Warned)
            await app.start(session="talk")
            await early.until(Ready)
            await app.count_to(6)
            await app.until(Final, lambda final: final.text.endswith("4"))
            async with client(rig) as late:
                await late.say(type="watch", session="talk")
                await late.until(Partial, lambda partial: partial.text == "5 6")
                assert late.numbers() == [1, 2, 3, 4]  # what was said before it came
                await app.say(type="end", source="mic")
                await late.until(Ended)
            await early.until(Ended)
            await app.closed()
            for onlooker in (early, late):
                assert onlooker.numbers() == app.numbers() == [1, 2, 3, 4, 5, 6]

    run(session())


def twenty_times_quicker(rules: LadderConfig) -> LadderConfig:
    steps = tuple(
        msgspec.structs.replace(
            step,
            for_s=step.for_s / 20 if step.for_s else None,
            back_for_s=step.back_for_s / 20 if step.back_for_s else None,
        )
        for step in rules.steps
    )
    return msgspec.structs.replace(rules, steps=steps)


@pytest.mark.slow
def test_the_ladder_says_what_it_does_and_a_hand_leads_back() -> None:
    """Real seconds, so the ladder's own are made shorter, all alike."""

    def slow_seat() -> ProviderSlot:
        return seat_of(first=Numbers(cost=0.9), smaller=Numbers(3, cost=0.01))

    async def session() -> None:
        async with (
            serving(slow_seat, rules=twenty_times_quicker(read_rules())) as rig,
            client(rig) as app,
            client(rig) as page,
        ):
            await app.start()
            await page.say(type="watch")
            await app.count_to(12)
            status = await page.until(Status)
            assert (status.before, status.level) == ("normal", "warning")
            assert status.message == "recognition is getting slow"
            assert status.cause.startswith("rtf above 0.8")
            assert status.actions == ("longer_chunks: chunks of 1 s",)
            await page.until(Metrics, lambda metrics: metrics.level == "warning")
            await page.say(type="reset", reason="the backup is done")
            back = await app.until(Status, lambda status: status.level == "normal")
            assert back.cause == "by hand: the backup is done"
            await app.say(type="end", source="mic")
            await app.closed()
            assert app.numbers() == list(range(1, 13))

    run(session())


def test_a_breakdown_leads_to_another_provider_and_loses_nothing() -> None:
    def make() -> ProviderSlot:
        return seat_of(Numbers(4, cost=0.0), first=Numbers(5, cost=0.0, fails_at=8))

    async def session() -> None:
        async with serving(make) as rig, client(rig) as app:
            await app.start()
            await app.count_to(20)
            status = await app.until(Status)
            assert status.level == "failover"
            assert "broke down at 8" in status.cause
            assert status.actions == ("other_provider: numbers other-0 took over",)
            await app.say(type="end", source="mic")
            assert (await app.closed())[0] == 1000
            assert app.numbers() == list(range(1, 21))
        # The next session begins with the first one again.
        async with serving(make) as rig:
            for _ in range(2):
                async with client(rig) as app:
                    await app.start()
                    await app.count_to(7)
                    await app.say(type="end", source="mic")
                    await app.closed()
                    assert app.numbers() == list(range(1, 8))
                    assert app.of(Status) == []

    run(session())


@pytest.mark.slow
def test_backpressure_is_told() -> None:
    async def session() -> None:
        def make() -> ProviderSlot:
            return seat_of(first=Numbers(cost=0.1))

        async with serving(make, queue_s=4.0) as rig, client(rig) as app:
            await app.start()
            await app.count_to(20)  # 10 s at once
            pressure = await app.until(Pressure)
            assert pressure.source is MIC
            assert pressure.level >= 0.5
            assert pressure.reason == "the provider is slower than the audio"
            caught_up = await app.until(Pressure)
            assert caught_up.level < 0.5
            assert caught_up.reason == "caught up"
            await app.say(type="end", source="mic")
            await app.until(Metrics, lambda metrics: metrics.sources[MIC].received_s == 10.0)
            await app.closed()
            dropped = app.of(Metrics)[-1].sources[MIC].dropped_chunks
            assert dropped == 20 - len(app.numbers()) > 0

    run(session())


def test_a_transcript_is_kept_also_of_a_client_that_vanishes(tmp_path: Path) -> None:
    async def session() -> None:
        async with serving(keep=tmp_path) as rig:
            async with client(rig) as app:
                await app.start(session="cut-off")
                await app.count_to(7)
                await app.until(Final)
                app.connection.transport.abort()
            await until_free(rig)

    run(session())
    record = kept(tmp_path / "cut-off.jsonl")
    assert finals_of(record) == [1, 2, 3, 4, 5, 6, 7]
    assert isinstance(record.events[-2], SessionEnded)


def test_a_server_that_is_stopped_ends_its_sessions_in_order() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start()
            await app.count_to(7)
            await app.until(Partial, lambda partial: partial.text.endswith("7"))
            await rig.live.finish(5.0)
            assert (await app.closed())[0] == 1000
            assert app.numbers() == [1, 2, 3, 4, 5, 6, 7]

    run(session())


def test_seats_are_given_back() -> None:
    async def session() -> None:
        async with serving(slots=2, limits=LiveLimits()) as rig:
            for turn in range(3):
                async with client(rig) as one, client(rig) as other:
                    await one.start(session=f"one-{turn}")
                    await other.start(session=f"other-{turn}")
                    for app in (one, other):
                        await app.count_to(4)
                        await app.say(type="end", source="mic")
                        assert (await app.closed())[0] == 1000
                        assert app.numbers() == [1, 2, 3, 4]

    run(session())
