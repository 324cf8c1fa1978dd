"""OpenAI's and Mistral's SDKs against loopback services: the contract, and every fault."""

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from harness.activities.conformance import RULES, conform
from harness.activities.conformance.sessions import STOP_LIMIT_S
from harness.activities.startup import stream_of
from harness.clock import ClockKind, run
from harness.contract import ASRProvider, ASRSegment, Option, SessionConfig
from harness.journal.events import Event, Inferred, RuleChecked, SegmentArrived, Utterance, encode
from harness.metrics import TrialLog, measure
from harness.provider.registry import find_corpus, make_provider
from harness.specs.trial import TrialStatus
from tests.trials import write_corpus
from tests.vendors.lanes import KEY
from tests.vendors.loopback import Loopback, loopback
from tests.vendors.trials import (
    LEXICON,
    MODES,
    SENTENCES,
    VENDORS,
    Case,
    Outcome,
    outcomes,
    spec_for,
)

pytestmark = pytest.mark.slow

OK, ERROR, TIMEOUT = TrialStatus.OK, TrialStatus.PROVIDER_ERROR, TrialStatus.TIMEOUT
BAD_INPUT, BAD_OUTPUT = TrialStatus.BAD_INPUT, TrialStatus.BAD_OUTPUT
BOTH = [(provider, mode) for provider in VENDORS for mode in MODES]
REALTIME = [(provider, "realtime") for provider in VENDORS]
FILE = [(provider, "file") for provider in VENDORS]
OPENAI, MISTRAL_FILE = [("openai_api", "realtime")], [("voxtral_api", "file")]
HASTY: dict[str, Option] = {"answer_s": 2.0}
IMPATIENT: dict[str, Option] = {"connect_s": 1.0, "answer_s": 2.0, "attempts": 2}


@dataclass(frozen=True)
class Expected:
    """How a case has to end."""

    case: Case
    status: TrialStatus
    says: tuple[str, ...]
    waits: int | None = 0
    requests: int | None = None


def expect(
    lane: str, status: TrialStatus, *says: str, on: list[tuple[str, str]] = BOTH,
    waits: int | None = 0, requests: int | None = None, **more: object,
) -> list[Expected]:  # fmt: skip
    return [
        Expected(Case(provider, mode, lane, **more), status, says, waits, requests)  # type: ignore[arg-type]
        for provider, mode in on
    ]


EXPECTED = [
    *expect("sound", OK, duration_s=4.5, settings={"price_per_audio_minute": 0.006}),
    *expect("unauthorized", TrialStatus.UNSUPPORTED, "refused the key", "HTTP 401", "_API_KEY",
            requests=1),
    *expect("forbidden", TrialStatus.UNSUPPORTED, "refused the key", "HTTP 403", on=OPENAI,
            requests=1),
    *expect("unknown_model", BAD_INPUT, "HTTP 404: The model does not exist", requests=1),
    *expect("no_quota", ERROR, "quota is used up", "exceeded your current quota", on=FILE,
            requests=1),
    *expect("rate_limited", OK, waits=2, requests=3),
    *expect("rate_limited_for_an_hour", ERROR, "HTTP 429: Later", "asked to wait 3600 s",
            requests=1),
    *expect("rate_limited_for_ever", ERROR, "rate limit was exceeded", "3 times in a row",
            on=FILE, waits=2, requests=3),
    *expect("fails_once", OK, waits=1),
    *expect("fails", ERROR, "the service failed", "HTTP 500", "3 times in a row", waits=2,
            requests=3),
    *expect("overloaded", ERROR, "HTTP 503", on=OPENAI, waits=2, requests=3),
    *expect("never_answers", TIMEOUT, "not ready in time", "2 times", on=REALTIME, waits=1,
            settings=IMPATIENT),
    *expect("never_answers", TIMEOUT, "did not answer in time", on=FILE, settings=IMPATIENT),
    *expect("never_begins", TIMEOUT, "not ready in time", "2 times", on=OPENAI, waits=1,
            settings=IMPATIENT),
    *expect("never_finishes", TIMEOUT, "did not answer in time", "no final 2 s after",
            settings=HASTY),
    *expect("drips", TIMEOUT, "did not answer in time", settings=HASTY),
    *expect("deaf", TIMEOUT, "did not answer in time", on=REALTIME, settings=HASTY),
    *expect("breaks_once", OK, waits=1),
    *expect("breaks", ERROR, "connection to the service was lost", "3 times in a row", waits=2),
    *expect("closes_once", OK, on=REALTIME, waits=1),
    *expect("leaves", OK, on=OPENAI, waits=1, duration_s=4.5),
    *expect("garbage", BAD_OUTPUT, "broke its protocol", first=2, duration_s=4.0),
    *expect("binary", BAD_OUTPUT, "broke its protocol"),
    *expect("huge", BAD_OUTPUT, "broke its protocol"),
    *expect("odd_types", BAD_OUTPUT, "broke its protocol"),
    *expect("bare", BAD_OUTPUT, "broke its protocol"),
    *expect("error_event", ERROR, "the service failed", "3 times in a row", waits=2,
            on=[pair for pair in BOTH if pair not in MISTRAL_FILE]),
    *expect("error_event", BAD_OUTPUT, "broke its protocol", "Internal error", on=MISTRAL_FILE),
    *expect("error_once", OK, on=[pair for pair in BOTH if pair not in MISTRAL_FILE], waits=1),
    *expect("failed_item", BAD_INPUT, "could not be transcribed", on=OPENAI),
    *expect("late_first", OK, on=OPENAI, duration_s=5.0),
]  # fmt: skip
LEAKS = Case("voxtral_api", "realtime", "never_begins", IMPATIENT)
"""Mistral's SDK forgets the socket of a connection that is given up before it began."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), SENTENCES)


@pytest.fixture(scope="module")
def services() -> Iterator[Loopback]:
    with loopback(LEXICON) as services, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        patch.setenv("MISTRAL_API_KEY", KEY)
        patch.setattr(
            "harness.session.watchdog.EVERY_S", 5.0
        )  # so many sessions in one process are sampled
        yield services


@pytest.fixture(scope="module")
def ended(services: Loopback, corpus: Path) -> dict[str, Outcome]:
    """Run all cases at once; no task may be left over, and no socket."""

    async def body() -> dict[str, Outcome]:
        ended = await outcomes([expected.case for expected in EXPECTED], services, corpus)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return ended

    ended = run(body(), ClockKind.WALL)
    assert services.own_faults == []
    gc.collect()
    return ended


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.case.name)
def test_a_service_ends_in_its_status_and_says_why(
    expected: Expected, ended: dict[str, Outcome], services: Loopback
) -> None:
    outcome = ended[expected.case.name]
    assert outcome.status is expected.status, outcome.reason
    for words in expected.says:
        assert words in outcome.reason
    assert len(outcome.waits) == expected.waits, outcome.waits
    assert expected.requests in (None, len(services.seen[outcome.lane].requests))
    assert KEY not in outcome.reason
    assert KEY.encode() not in b"".join(map(encode, outcome.events))


@pytest.mark.parametrize(
    "expected", [e for e in EXPECTED if e.status is OK], ids=lambda expected: expected.case.name
)
def test_every_word_is_recognised_once_whatever_went_wrong(
    expected: Expected, ended: dict[str, Outcome]
) -> None:
    outcome = ended[expected.case.name]
    figures = measure(TrialLog(outcome.spec, outcome.events))
    assert figures["wer"].value == 0.0
    assert figures["out_of_order_segments"].value == figures["unaccounted_samples"].value == 0.0
    assert figures["interruptions"].value == expected.waits


def test_what_was_final_before_a_fault_is_kept(ended: dict[str, Outcome]) -> None:
    for provider, mode in BOTH:
        said = [event.segment for event in ended[f"{provider}-{mode}-garbage"].events
                if isinstance(event, SegmentArrived)]  # fmt: skip
        first = next(segment for segment in said if segment.is_final)
        assert first.text in SENTENCES
        assert said[-1].segment_id > first.segment_id  # of the second, too, what there was


def test_retry_after_is_kept_to_and_recorded(ended: dict[str, Outcome], services: Loopback) -> None:
    for provider, mode in BOTH:
        outcome = ended[f"{provider}-{mode}-rate_limited"]
        came_s = services.seen[outcome.lane].requests
        assert all(after - before >= 1.0 for before, after in pairwise(came_s))
        assert [wait.attempt for wait in outcome.waits] == [1, 2]
        assert all(wait.reason == "HTTP 429: Too many" for wait in outcome.waits)
        waited = measure(TrialLog(outcome.spec, outcome.events))["interrupted_time"].value
        assert waited is not None
        assert waited >= 2.0
        shown_s = min(event.at_s for event in outcome.events if isinstance(event, SegmentArrived))
        assert shown_s >= outcome.waits[-1].end_s  # so the latency holds the wait


def test_a_lost_connection_says_how_much_was_sent_again(ended: dict[str, Outcome]) -> None:
    for provider, mode in BOTH:
        (wait,) = ended[f"{provider}-{mode}-breaks_once"].waits
        assert 0.3 < wait.replayed_s < 2.0
        assert "clos" in wait.reason  # closed, closing, close frame
    (wait,) = ended["openai_api-realtime-leaves"].waits
    assert "idle for too long" in wait.reason


def test_answers_out_of_order_are_put_in_order(
    ended: dict[str, Outcome], services: Loopback
) -> None:
    outcome = ended["openai_api-realtime-late_first"]
    assert services.seen[outcome.lane].overtaken > 0
    spoken = [event for event in outcome.events if isinstance(event, Utterance)]
    in_order = sorted(spoken, key=lambda utterance: utterance.t0)
    assert outcome.text == " ".join(utterance.text for utterance in in_order)


def test_what_an_hour_costs_is_told_where_there_is_a_price(ended: dict[str, Outcome]) -> None:
    for provider, mode in BOTH:
        outcome = ended[f"{provider}-{mode}-sound"]
        cost = measure(TrialLog(outcome.spec, outcome.events))["cost_per_audio_hour"].value
        sent_s = sum(event.window_s for event in outcome.events if isinstance(event, Inferred))
        assert 1.5 < sent_s < 4.5  # speech and a little around it, of 4.5 s
        assert cost == pytest.approx(0.006 * 60 * sent_s / 4.5)
        outcome = ended[f"{provider}-{mode}-breaks_once"]
        absent = measure(TrialLog(outcome.spec, outcome.events))["cost_per_audio_hour"]
        assert absent.value is None
        assert absent.absent == "no price_per_audio_minute was given"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_service_that_never_begins_is_given_up(services: Loopback, corpus: Path) -> None:
    (outcome,) = run(outcomes([LEAKS], services, corpus), ClockKind.WALL).values()
    gc.collect()
    assert outcome.status is TIMEOUT
    assert "no connection 1 s after it was requested), 2 times in a row" in outcome.reason


def test_every_rule_of_the_contract_is_kept(services: Loopback, corpus: Path) -> None:
    """By both providers in both modes, at the same time."""
    checks: dict[tuple[str, str], list[Event]] = {pair: [] for pair in BOTH}

    async def conforms(provider_name: str, mode: str) -> None:
        case = Case(provider_name, mode, "sound")
        spec = spec_for(case, services, corpus, services.lane("sound"))
        provider = make_provider(provider_name, dict(spec.settings))
        await conform(provider, spec, find_corpus(str(corpus)), checks[provider_name, mode].append)
        await provider.close()

    async def body() -> None:
        await asyncio.gather(*(conforms(*pair) for pair in BOTH))

    run(body(), ClockKind.WALL)
    for pair, events in checks.items():
        tried = {event.check: event for event in events if isinstance(event, RuleChecked)}
        assert set(tried) == set(RULES)
        assert not [(pair, check) for check in tried.values() if not check.passed]


@pytest.mark.parametrize(("provider_name", "mode"), BOTH)
def test_a_stop_does_not_wait_for_an_answer(
    provider_name: str, mode: str, services: Loopback, corpus: Path
) -> None:
    """Nor for a service that doesn't say goodbye; the session that follows works."""
    lane = services.lane("never_finishes")
    services.seen[lane].lane = replace(services.seen[lane].lane, first=1, times=1)
    spec = spec_for(Case(provider_name, mode, "never_finishes"), services, corpus, lane)
    speech = find_corpus(str(corpus))[0].read()

    async def heard(provider: ASRProvider) -> list[ASRSegment]:
        return [segment async for segment in provider.transcribe_stream(stream_of(speech))]

    async def body() -> str:
        provider = make_provider(provider_name, dict(spec.settings))
        config = SessionConfig(model=spec.model)
        assert await provider.start_session("first", config)
        hearing = asyncio.create_task(heard(provider))
        await asyncio.to_thread(services.seen[lane].tricked.wait, STOP_LIMIT_S)
        async with asyncio.timeout(STOP_LIMIT_S):
            await provider.stop_session("first")
        await asyncio.gather(hearing, return_exceptions=True)
        assert await provider.start_session("second", config)
        said = await heard(provider)
        await provider.stop_session("second")
        await provider.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return said[-1].text

    assert run(body(), ClockKind.WALL) == SENTENCES[0]


def test_two_sources_are_two_connections(services: Loopback, corpus: Path) -> None:
    cases = [Case(provider, "realtime", "sound", sources=2) for provider in VENDORS]
    for outcome in run(outcomes(cases, services, corpus), ClockKind.WALL).values():
        assert outcome.status is OK, outcome.reason
        assert services.seen[outcome.lane].most_open == 2
