"""When a service is asked again, and what its errors are taken for."""

import random

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mistralai.client.errors import ResponseValidationError, SDKError
from mistralai.client.models import RealtimeTranscriptionError, RealtimeTranscriptionErrorDetail
from mistralai.extra.exceptions import RealtimeTranscriptionWSError
from websockets.datastructures import Headers, HeadersLike
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from providers.openai_api import OpenAiApi
from providers.services.failures import (
    MAX_LETTERS,
    Kind,
    ServiceFailure,
    ServiceFailureError,
    failure_of,
)
from providers.services.item_order import Items
from providers.services.retries import WORTH_A_RETRY, RetryPolicy, final_error
from providers.voxtral_api import VoxtralApi

troubles = st.builds(
    ServiceFailure, st.sampled_from(Kind), st.text(max_size=20), st.none() | st.floats(0, 100)
)


@given(troubles, st.integers(1, 12), st.floats(0, 60), st.floats(0, 1))
def test_no_wait_is_too_short_or_too_long(
    failure: ServiceFailure, attempts: int, waited_s: float, luck: float
) -> None:
    retry_policy = RetryPolicy(attempts=8, longest_wait_s=30.0)
    wait_s = retry_policy.wait_s(failure, attempts, waited_s, luck)
    if failure.kind not in WORTH_A_RETRY or attempts >= 8:
        assert wait_s is None
    elif wait_s is not None:
        assert waited_s + wait_s <= 30.0
        if failure.retry_after_s is None:
            assert 0.25 <= wait_s <= 8.0
        else:
            assert wait_s == failure.retry_after_s


@given(troubles, st.integers(1, 9))
def test_every_trouble_ends_in_an_error_that_says_what_was_said(
    failure: ServiceFailure, attempts: int
) -> None:
    error = final_error("service, source mic", failure, attempts, "A_KEY")
    assert str(error).startswith("service, source mic: ")
    assert f"({failure.message})" in str(error)
    assert (f"{attempts} times in a row" in str(error)) == (attempts > 1)


def http(status: int, body: str, **headers: str) -> openai.APIStatusError:
    request = httpx2.Request("POST", "http://127.0.0.1/v1/audio/transcriptions")
    response = httpx2.Response(status, text=body, headers=headers, request=request)
    return openai.AsyncOpenAI(api_key="none")._make_status_error_from_response(response)


def handshake(status: int, body: bytes, headers: HeadersLike) -> InvalidStatus:
    return InvalidStatus(Response(status, "", Headers(headers), body))


REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/audio/transcriptions")
OPENAI = OpenAiApi().sdk_failure


def streamed(body: dict[str, str]) -> openai.APIError:
    """An error inside an answer that began well."""
    return openai.APIError("stopped", REQUEST, body=body)


def mistral(status: int, body: str, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, text=body, headers=headers, request=REQUEST)


def realtime_error(code: int) -> RealtimeTranscriptionWSError:
    detail = RealtimeTranscriptionErrorDetail(message="late", code=code)
    payload = RealtimeTranscriptionError(error=detail)
    return RealtimeTranscriptionWSError("late", payload=payload)


TWICE = [("Retry-After", "1"), ("Retry-After", "2")]
QUOTA = '{"error": {"message": "used up", "code": "insufficient_quota"}}'


@pytest.mark.parametrize(
    ("error", "kind", "said", "wait_s"),
    [
        (http(401, "{}"), Kind.KEY, "HTTP 401", None),
        (http(400, '{"error": {"message": "no"}}'), Kind.REQUEST, "HTTP 400: no", None),
        (http(429, QUOTA), Kind.QUOTA, "HTTP 429: used up", None),
        (http(429, "busy", **{"Retry-After": "7"}), Kind.LIMIT, "HTTP 429", 7.0),
        (http(502, "<html>bad\ngateway</html>"), Kind.SERVER, "HTTP 502", None),
        (handshake(503, b"\xff busy", {"retry-after": "2"}), Kind.SERVER, "HTTP 503", 2.0),
        (handshake(429, QUOTA.encode(), {}), Kind.QUOTA, "HTTP 429: used up", None),
        (handshake(429, b"", {"Retry-After": "-3"}), Kind.LIMIT, "HTTP 429", 0.0),
        (handshake(429, b"", {"Retry-After": "inf"}), Kind.LIMIT, "HTTP 429", None),
        (handshake(429, b"", TWICE), Kind.LIMIT, "HTTP 429", None),
        (ConnectionClosedError(None, None), Kind.LOST, "no close frame", None),
        (ConnectionClosedError(Close(1011, "oops"), None), Kind.LOST, "oops", None),
        (ConnectionClosedError(Close(1008, "key"), None), Kind.REQUEST, "key", None),
        (ConnectionClosedError(Close(3000, "model"), None), Kind.REQUEST, "model", None),
        (ConnectionClosedError(None, Close(1009, "")), Kind.PROTOCOL_ERROR, "too big", None),
        (streamed({"code": "rate_limit_exceeded"}), Kind.LIMIT, "stopped", None),
        (streamed({"type": "server_error"}), Kind.SERVER, "stopped", None),
        (openai.APITimeoutError(REQUEST), Kind.TIMEOUT, "timed out", None),
        (openai.APIConnectionError(request=REQUEST), Kind.LOST, "Connection error", None),
        (
            openai.APIResponseValidationError(httpx2.Response(200, request=REQUEST), None),
            Kind.PROTOCOL_ERROR,
            "invalid",
            None,
        ),
        (SDKError("no", mistral(401, "{}")), Kind.KEY, "HTTP 401", None),
        (SDKError("no", mistral(429, QUOTA, **{"Retry-After": "3"})), Kind.QUOTA, "used up", 3.0),
        (
            ResponseValidationError("odd", mistral(200, "{}"), ValueError("x"), '{"odd": 1}'),
            Kind.PROTOCOL_ERROR,
            'that its SDK can\'t read: {"odd": 1}',
            None,
        ),
        (
            ResponseValidationError("odd", mistral(502, "<html>"), ValueError("x")),
            Kind.SERVER,
            "HTTP 502",
            None,
        ),
        (realtime_error(3804), Kind.SERVER, "late", None),
        (httpx2.ReadTimeout("slow"), Kind.TIMEOUT, "slow", None),
        (TimeoutError(), Kind.TIMEOUT, "", None),
        (ValueError("x" * 10_000), Kind.PROTOCOL_ERROR, "xxx", None),
        (OSError(113, "No route to host"), Kind.LOST, "No route to host", None),
        (ServiceFailureError(Kind.SILENT, "two\nlines"), Kind.SILENT, "two lines", None),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else "",
)
def test_errors_are_taken_for_what_they_are(
    error: Exception, kind: Kind, said: str, wait_s: float | None
) -> None:
    of_sdk = VoxtralApi().sdk_failure if "mistralai" in type(error).__module__ else OPENAI
    try:
        raise RuntimeError("an SDK's own words") from error
    except RuntimeError as wrapped:
        for each in (error, wrapped):
            failure = failure_of(each, of_sdk)
            assert failure.kind is kind
            assert said in failure.message
            assert failure.retry_after_s == wait_s
            assert len(failure.message) <= MAX_LETTERS
            assert "\n" not in failure.message


def test_an_exception_is_known_by_its_class_and_not_by_its_name() -> None:
    """An exception of another library that only has the name of one that means something."""
    for name in ("ResponseValidationError", "TimeoutException", "ValueError", "TimeoutError"):
        foreign = type(name, (Exception,), {})("something else")
        for of_sdk in (OPENAI, VoxtralApi().sdk_failure):
            assert failure_of(foreign, of_sdk).kind is Kind.LOST


@given(st.integers(1, 8), st.randoms(use_true_random=False))
def test_items_are_numbered_by_their_chain_whatever_is_said_of_them_first(
    count: int, luck: random.Random
) -> None:
    names = [f"item {luck.random()} {number}" for number in range(count)]
    items = Items()
    for number, name in enumerate(names):
        if luck.random() < 0.5:
            assert items.number(name) == number  # a delta came before the commit was confirmed
        items.committed(name, names[number - 1] if number else luck.choice([None, "root"]))
        known = luck.randrange(number + 1)
        assert items.number(names[known]) == known


@pytest.mark.parametrize(
    ("item", "previous"), [("b", "x"), ("a", "a"), (7, "a"), (None, None), ("b", None)]
)
def test_a_broken_chain_is_nonsense(item: object, previous: object) -> None:
    items = Items()
    items.committed("a", None)
    with pytest.raises(ServiceFailureError, match="item"):
        items.committed(item, previous)
