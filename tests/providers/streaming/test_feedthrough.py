import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from harness.activities.conformance import RULES, conform
from harness.clock import ClockKind, now_s, run
from harness.contract import ASRSegment, AudioAccount, AudioSource, SessionConfig
from harness.errors import AudioError, ProviderError
from harness.journal.events import Event, RuleChecked
from providers.streaming.feedthrough import EngineText
from tests.providers.engines import spec
from tests.providers.signals import samples_of
from tests.providers.tone_streams import Habits, ToneFeed
from tests.providers.tones import collect, entry, in_session, listen, live, pcm_of, say, text_of

MIC = AudioSource.MIC
KINDS = {
    "at once": Habits(),
    "finds ends": Habits(finds_ends=True),
    "late": Habits(late_s=(0.9, 0.2)),
    "late and finds ends": Habits(finds_ends=True, late_s=(0.8, 0.1)),
}
every_kind = pytest.mark.parametrize("habits", KINDS.values(), ids=KINDS)


@every_kind
def test_every_rule_of_the_contract_is_kept(habits: Habits) -> None:
    events: list[Event] = []
    speech = [entry("ah", "bee"), entry("cee", "dee", "ee"), entry("bee", "bee")]

    async def body() -> None:
        engine = ToneFeed(habits)
        await conform(engine, spec("tones", ClockKind.VIRTUAL), speech, events.append)
        await engine.close()
        assert not engine.open

    run(body(), ClockKind.VIRTUAL)
    checks = {event.check: event for event in events if isinstance(event, RuleChecked)}
    assert set(checks) == set(RULES)
    assert not [check for check in checks.values() if not check.passed]


def test_silence_is_not_fed_to_an_engine_that_finds_no_ends() -> None:
    """Speech and a little around it is; every sample is one or the other."""
    engine, audio = ToneFeed(), say(["ah", "bee"], before_s=3.0, after_s=3.0)
    account: list[AudioAccount] = []

    async def body() -> None:
        await listen(engine, audio)
        account.append((await engine.health()).audio["default"])

    in_session(body(), engine)
    assert account[0].decoded + account[0].skipped == len(audio)
    assert samples_of(0.8) < account[0].decoded < samples_of(2.0)


def test_an_engine_that_finds_ends_gets_every_sample() -> None:
    engine, audio = ToneFeed(Habits(finds_ends=True)), say(["ah", "bee"], before_s=3.0)
    account: list[AudioAccount] = []

    async def body() -> None:
        await listen(engine, audio, [777])
        account.append((await engine.health()).audio["default"])

    in_session(body(), engine)
    assert (account[0].decoded, account[0].skipped) == (len(audio), 0)


@pytest.mark.parametrize("finds_ends", [False, True])
def test_samples_are_decoded_when_the_engine_says_so(finds_ends: bool) -> None:
    """Until then they are pending, also when it says more than it was given."""
    engine, audio = ToneFeed(Habits(finds_ends, late_s=(0.5,))), say(["ah", "bee"])
    pending: list[int] = []

    async def audio_and_looks() -> AsyncIterator[bytes]:
        async for chunk in pcm_of(audio, [samples_of(1.0)]):
            yield chunk
        pending.append((await engine.health()).audio["default"].pending)
        await asyncio.sleep(1.0)
        engine.open[0].listener.confirm(10**9)
        pending.append((await engine.health()).audio["default"].pending)

    async def body() -> AudioAccount:
        await collect(engine.transcribe_stream(audio_and_looks()), [])
        return (await engine.health()).audio["default"]

    account = in_session(body(), engine)
    assert pending[0] > samples_of(0.8)
    assert 0 <= pending[1] < samples_of(0.5)
    assert (account.received, account.pending, account.dropped) == (len(audio), 0, 0)


@pytest.mark.parametrize("finds_ends", [False, True])
def test_text_comes_out_while_no_audio_goes_in(finds_ends: bool) -> None:
    """What a server says between two chunks isn't held back until the next one."""
    engine = ToneFeed(Habits(finds_ends, late_s=(0.3,)))

    async def body() -> float:
        begin_s = now_s()
        stream = engine.transcribe_stream(live(say(["ah", "bee"], after_s=0.2), 1.0))
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            await anext(stream)
            return now_s() - begin_s

    assert in_session(body(), engine) == pytest.approx(1.3, abs=0.2)


def test_answers_that_overtake_one_another_go_out_in_order() -> None:
    """The first utterance is answered a second later than the second one."""
    engine = ToneFeed(Habits(late_s=(2.5, 0.1)))
    audio = np.concatenate([say(["ah", "bee"]), say(["cee"])])

    async def body() -> tuple[list[ASRSegment], float]:
        begin_s = now_s()
        said: list[ASRSegment] = []
        await collect(engine.transcribe_stream(live(audio)), said)
        return said, now_s() - begin_s

    said, took_s = in_session(body(), engine)
    assert text_of(said) == ["ah", "bee", "cee"]
    ids = [segment.segment_id for segment in said]
    assert ids == sorted(ids)
    assert took_s < len(audio) / 16_000 + 2.5


@every_kind
def test_an_error_between_two_chunks_comes_at_once(habits: Habits) -> None:
    """As when a connection breaks; what was said before becomes final."""
    engine = ToneFeed(habits)

    async def then_wait() -> AsyncIterator[bytes]:
        async for chunk in live(say(["ah", "bee"], after_s=0.0)):
            yield chunk
        await asyncio.sleep(2.0)
        engine.open[0].listener.fail(ProviderError("tones", "the connection broke"))
        await asyncio.sleep(3600)

    async def body() -> tuple[list[ASRSegment], float, AudioAccount]:
        said: list[ASRSegment] = []
        begin_s = now_s()
        with pytest.raises(ProviderError, match="the connection broke"):
            await collect(engine.transcribe_stream(then_wait()), said)
        return said, now_s() - begin_s, (await engine.health()).audio["default"]

    said, took_s, account = in_session(body(), engine)
    assert text_of(said) == ["ah", "bee"]
    assert took_s < 10
    assert account.pending == 0
    assert not engine.open


def test_an_answer_that_had_to_wait_is_not_lost_with_the_one_before() -> None:
    engine = ToneFeed(Habits(late_s=(100.0, 0.1)))
    audio = np.concatenate([say(["ah", "bee"]), say(["cee"])])

    async def then_break() -> AsyncIterator[bytes]:
        async for chunk in live(audio):
            yield chunk
        await asyncio.sleep(1.0)
        engine.open[0].listener.fail(ProviderError("tones", "the connection broke"))
        await asyncio.sleep(3600)

    async def body() -> list[ASRSegment]:
        said: list[ASRSegment] = []
        with pytest.raises(ProviderError, match="the connection broke"):
            await collect(engine.transcribe_stream(then_break()), said)
        return said

    assert text_of(in_session(body(), engine)) == ["cee"]


def say_nothing(engine: ToneFeed) -> None:
    engine.open[0].listener.on_text = lambda text: None  # type: ignore[method-assign]


def speak_of_another(engine: ToneFeed) -> None:
    engine.open[0].listener.on_text(EngineText("boo", utterance=7))


@pytest.mark.parametrize(
    ("misbehave", "told"),
    [(say_nothing, "1 utterances without a final"), (speak_of_another, "utterance 7")],
)
def test_an_engine_that_breaks_its_word_is_told_off(
    misbehave: Callable[[ToneFeed], None], told: str
) -> None:
    engine = ToneFeed()

    async def spoilt() -> AsyncIterator[bytes]:
        async for chunk in pcm_of(say(["ah"])):
            yield chunk
            misbehave(engine)

    async def body() -> None:
        with pytest.raises(ProviderError, match=told):
            await collect(engine.transcribe_stream(spoilt()), [])

    in_session(body(), engine)


def test_what_an_engine_says_after_the_end_is_not_said() -> None:
    engine = ToneFeed(Habits(finds_ends=True))

    async def body() -> list[ASRSegment]:
        stream = engine.transcribe_stream(pcm_of(say(["ah"] * 4)), source=MIC)
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            async for _ in stream:
                listener = engine.open[0].listener
                break
        listener.on_text(EngineText("boo", is_final=True))
        return await listen(engine, say(["bee"]), source=MIC)

    assert text_of(in_session(body(), engine)) == ["bee"]


def test_no_audio_is_taken_while_nobody_reads() -> None:
    """Not pulling is how an app holds a provider back."""
    engine, given = ToneFeed(), []

    async def counted() -> AsyncIterator[bytes]:
        async for chunk in pcm_of(say(["ah"] * 10)):
            given.append(chunk)
            yield chunk

    async def body() -> tuple[int, int]:
        stream = engine.transcribe_stream(counted())
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            await anext(stream)
            before = len(given)
            await asyncio.sleep(10.0)
            return before, len(given)

    before, after = in_session(body(), engine)
    assert before == after


@every_kind
@pytest.mark.parametrize("ending", ["end", "leave", "bad audio", "stop", "cancel", "app fails"])
def test_each_stream_is_let_go_of_once(habits: Habits, ending: str) -> None:
    """However it ends; and the next one of the same source works."""
    engine = ToneFeed(habits)

    async def audio() -> AsyncIterator[bytes]:
        async for chunk in live(say(["ah"] * 6)):
            yield chunk
        if ending == "bad audio":
            yield b""
        if ending == "app fails":
            raise KeyError("the app's own")
        if ending != "end":
            await asyncio.sleep(3600)

    async def until_it_ends() -> None:
        stream = engine.transcribe_stream(audio(), source=MIC)
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            async for _ in stream:
                if ending == "leave":
                    return

    expected = {"bad audio": AudioError, "stop": ProviderError, "app fails": KeyError}

    async def body() -> list[ASRSegment]:
        listening = asyncio.create_task(until_it_ends())
        await asyncio.sleep(2.0)
        assert len(engine.open) == (ending != "leave")
        if ending == "stop":
            await engine.stop_session("test")
            assert not engine.open
            assert await engine.start_session("test", SessionConfig(model="tones"))
        elif ending == "cancel":
            listening.cancel()
        failure = (await asyncio.gather(listening, return_exceptions=True))[0]
        kind = asyncio.CancelledError if ending == "cancel" else expected.get(ending, type(None))
        assert type(failure) is kind
        assert not engine.open
        assert (await engine.health()).audio.get("mic", AudioAccount()).pending == 0
        return await listen(engine, say(["bee"]), source=MIC)

    assert text_of(in_session(body(), engine)) == ["bee"]
    assert engine.closed == 2
