"""Resident providers: one model on one thread, one session at a time, and bounded stops."""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from harness import clock
from harness.activities.startup import stream_of
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import AudioSource, SessionConfig
from harness.errors import AudioError, ProviderError, UnavailableError
from harness.provider.recording import RecordingObserver
from harness.requirements import Package
from tests.session.sessions import silent_track
from tests.stand_ins.null import Null

MIC = AudioSource.MIC
TINY, BASE = SessionConfig(model="tiny"), SessionConfig(model="base")


class Recorder(Null):
    """Writes down what is asked of its engine, and on which thread."""

    stop_bound_s = 0.3

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.stop = threading.Event()

    def load(self, config: SessionConfig) -> None:
        self.note(f"load {config.model}")
        time.sleep(0.01)
        if config.model == "broken":
            raise LookupError("no such model")

    def unload(self) -> None:
        self.note("unload")

    def interrupt(self, stop: bool) -> None:
        (self.stop.set if stop else self.stop.clear)()

    def note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())

    async def call(self, function: Callable[[], None], window_s: float = 1.0) -> None:
        assert self._session is not None
        await self.infer(self._session, MIC, window_s, function)


@pytest.fixture(params=list(ClockKind))
def kind(request: pytest.FixtureRequest) -> ClockKind:
    kind: ClockKind = request.param
    return kind


def test_the_model_stays_and_everything_runs_on_its_thread(kind: ClockKind) -> None:
    provider = Recorder()

    async def sessions() -> None:
        for number in range(3):
            assert await provider.start_session(f"s{number}", TINY)
            await provider.call(lambda: provider.note("infer"))
            await provider.stop_session(f"s{number}")
        await provider.close()

    clock.run(sessions(), kind)
    assert provider.calls == ["load tiny", "infer", "infer", "infer", "unload"]
    assert len(provider.threads) == 1
    assert threading.get_ident() not in provider.threads


def test_another_model_takes_the_place_of_the_first() -> None:
    """The first is let go before, so that there is never room needed for both."""
    provider = Recorder()

    async def swap() -> None:
        for config in (TINY, BASE, BASE):
            await provider.start_session("s", config)
            assert (await provider.health()).model_resident
            await provider.stop_session("s")
        with pytest.raises(LookupError):
            await provider.start_session("s", SessionConfig(model="broken"))
        assert not (await provider.health()).model_resident
        assert await provider.start_session("s", TINY)
        await provider.close()

    clock.run(swap(), ClockKind.WALL)
    assert provider.calls == [
        "load tiny", "unload", "load base", "unload", "load broken", "load tiny", "unload",
    ]  # fmt: skip


def test_only_one_session_begins_even_when_two_ask_at_once(kind: ClockKind) -> None:
    provider = Recorder()

    async def race() -> list[bool]:
        started = await asyncio.gather(*(provider.start_session(f"s{n}", TINY) for n in range(5)))
        started.append(await provider.start_session("late", TINY))
        return started

    assert clock.run(race(), kind) == [True, False, False, False, False, False]
    assert provider.calls == ["load tiny"]


def test_only_the_running_session_can_be_stopped() -> None:
    provider = Recorder()

    async def stops() -> None:
        with pytest.raises(ProviderError, match="asked to stop 's'"):
            await provider.stop_session("s")
        await provider.start_session("s", TINY)
        with pytest.raises(ProviderError, match=r"'other'.*allowed: 's'"):
            await provider.stop_session("other")
        await provider.stop_session("s")
        with pytest.raises(ProviderError):
            await provider.stop_session("s")

    clock.run(stops(), ClockKind.WALL)


def test_a_stop_interrupts_the_call_and_waits_for_its_end(kind: ClockKind) -> None:
    provider = Recorder()

    def until_interrupted() -> None:
        provider.stop.wait(10)
        provider.note("interrupted")

    async def stop() -> None:
        await provider.start_session("s", TINY)
        call = asyncio.create_task(provider.call(until_interrupted))
        await asyncio.sleep(0.01)
        await provider.stop_session("s")
        provider.calls.append("stopped")
        await call
        assert await provider.start_session("t", TINY)
        assert not provider.stop.is_set()

    begin_s = time.monotonic()
    clock.run(stop(), kind)
    assert provider.calls == ["load tiny", "interrupted", "stopped"]
    assert time.monotonic() - begin_s < 5


def test_a_stop_is_bounded_where_the_engine_will_not_leave(kind: ClockKind) -> None:
    provider, release = Recorder(), threading.Event()

    def wait() -> None:
        release.wait(10)

    async def stop() -> float:
        await provider.start_session("s", TINY)
        call = asyncio.create_task(provider.call(wait))
        await asyncio.sleep(0.01)
        begin_s = time.monotonic()
        with pytest.raises(ProviderError, match=r"still busy 0\.3 s after the stop"):
            await provider.stop_session("s")
        took_s = time.monotonic() - begin_s
        release.set()
        await call
        return took_s

    assert 0.3 <= clock.run(stop(), kind) < 5


def test_calls_take_turns_in_the_order_in_which_they_ask(kind: ClockKind) -> None:
    provider, observer = Recorder(), RecordingObserver()
    observed, spans = msgspec.structs.replace(TINY, observer=observer), observer.spans

    async def many() -> None:
        await provider.start_session("s", observed)
        names = [f"call {number}" for number in range(20)]
        calls = [provider.call(partial(provider.note, name)) for name in names]
        waiting = asyncio.gather(*calls)
        await asyncio.sleep(0)
        assert (await provider.health()).backlog_estimate > 0
        await waiting
        assert (await provider.health()).backlog_estimate == 0
        assert provider.calls[1:] == names

    clock.run(many(), kind)
    assert len(spans) == 20
    ends_s = [0.0, *(span.end_s for span in spans)]
    for before_s, span in zip(ends_s, spans, strict=False):
        assert before_s <= span.begin_s <= span.end_s


def test_inference_is_timed_on_the_running_clock_and_told_by_health(kind: ClockKind) -> None:
    provider, observer = Recorder(), RecordingObserver()
    observed, spans = msgspec.structs.replace(TINY, observer=observer), observer.spans

    async def timed() -> None:
        await provider.start_session("s", observed)
        before = await provider.health()
        assert before.realtime_factor is None
        assert before.avg_infer_ms is None
        pcm = silent_track(2.0).audio
        async for _ in provider.transcribe_stream(stream_of(pcm), source=MIC):
            pass
        begin_s = clock.now_s()
        await provider.call(lambda: time.sleep(0.05), window_s=2.0)
        assert begin_s <= spans[0].begin_s <= spans[0].end_s - 0.05 <= clock.now_s()
        health = await provider.health()
        assert health.avg_infer_ms == pytest.approx(1000 * (spans[0].end_s - spans[0].begin_s))
        assert health.realtime_factor == pytest.approx((spans[0].end_s - spans[0].begin_s) / 2)

    clock.run(timed(), kind)


def test_an_engine_that_raises_is_named_and_remembered() -> None:
    provider = Recorder()

    def fail() -> None:
        raise LookupError("tensor 7")

    async def failing() -> None:
        await provider.start_session("s", TINY)
        with pytest.raises(
            ProviderError, match=r"null: the engine failed \(LookupError: tensor 7\)"
        ):
            await provider.call(fail)
        assert (await provider.health()).last_error == "LookupError: tensor 7"
        await provider.call(lambda: provider.note("well again"))

    clock.run(failing(), ClockKind.VIRTUAL)
    assert provider.calls[-1] == "well again"


def test_a_stream_needs_a_session_a_free_source_and_the_right_rate() -> None:
    provider = Recorder()
    pcm = silent_track(1.0).audio

    async def listen(rate: int = SAMPLE_RATE_HZ) -> None:
        async for _ in provider.transcribe_stream(stream_of(pcm), rate, MIC):
            pass

    async def refused() -> None:
        with pytest.raises(ProviderError, match="source mic: audio without a session"):
            await listen()
        await provider.start_session("s", TINY)
        with pytest.raises(AudioError, match=r"8000 Hz; allowed: 16000 Hz"):
            await listen(8000)
        await listen()
        provider.open_stream(MIC, SAMPLE_RATE_HZ)
        with pytest.raises(ProviderError, match="is streaming already"):
            await listen()

    clock.run(refused(), ClockKind.VIRTUAL)


def test_a_stream_ends_with_its_session() -> None:
    provider = Recorder()

    async def outlive() -> None:
        await provider.start_session("s", TINY)
        session = provider.open_stream(MIC, SAMPLE_RATE_HZ)
        provider.check_running(session, MIC)
        await provider.stop_session("s")
        await provider.start_session("t", TINY)
        with pytest.raises(ProviderError, match="the session was stopped"):
            provider.check_running(session, MIC)

    clock.run(outlive(), ClockKind.VIRTUAL)


def test_what_is_missing_is_named_with_its_remedy() -> None:
    class Lacking(Recorder):
        requires = (Package("no_such_engine", extra="engine"),)

    async def start() -> None:
        with pytest.raises(UnavailableError, match=r"no_such_engine.*pip install"):
            await Lacking().start_session("s", TINY)

    clock.run(start(), ClockKind.VIRTUAL)


def test_health_gives_a_copy_of_the_account() -> None:
    provider = Recorder()

    async def look() -> tuple[int, int]:
        await provider.start_session("s", TINY)
        session = provider.open_stream(MIC, SAMPLE_RATE_HZ)
        before = (await provider.health()).audio["mic"]
        session.audio[MIC].received += 10
        return before.received, (await provider.health()).audio["mic"].received

    assert clock.run(look(), ClockKind.VIRTUAL) == (0, 10)
