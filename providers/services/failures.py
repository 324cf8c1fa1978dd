"""What went wrong with a service, read off the errors of SDKs, HTTP and WebSocket libraries.

The SDKs have no error in common, but they pass on the same two libraries' responses and closing
codes. None of these libraries is imported here: a provider that isn't used costs no import.
"""

import email.utils
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Self

MAX_SAID = 500
"""Characters of a service's own words that are worth passing on."""
TOO_BIG = 1009
CLOSED_ON_PURPOSE = {1002, 1003, 1007, 1008, 1010, *range(3000, 5000)}
"""WebSocket closing codes that say the client did wrong: asking again would not help."""


class Kind(Enum):
    """What kind of failure it is, which decides whether it is worth asking again."""

    KEY = auto()
    """The key is refused, or may not do this."""
    REQUEST = auto()
    """What was asked for doesn't exist, or can't be done."""
    QUOTA = auto()
    """What was paid for is used up."""
    LIMIT = auto()
    """Too many requests for now."""
    SERVER = auto()
    """The service failed."""
    LOST = auto()
    """The connection broke, or was never made."""
    TIMEOUT = auto()
    """The connection was not ready in time."""
    SILENT = auto()
    """The service took audio, and did not answer it in time."""
    PROTOCOL_ERROR = auto()
    """It said what its protocol has no form for."""


@dataclass(frozen=True)
class ServiceFailure:
    """What went wrong, in the service's words where it has any."""

    kind: Kind
    said: str
    """One line, of a length that someone reads."""
    retry_after_s: float | None = None
    """How long the service asks to be left alone."""
    refused: bool = False
    """Whether it refused a request by its HTTP status, and so did nothing with the audio."""


class ServiceFailureError(Exception):
    """Carries a failure that was recognised where it came up."""

    def __init__(self, kind: Kind, said: str) -> None:
        self.failure = ServiceFailure(kind, one_line(said))
        super().__init__(said)

    @classmethod
    def of(cls, failure: ServiceFailure) -> Self:
        """Wrap a failure."""
        return cls(failure.kind, failure.said)


def failure_of(error: BaseException) -> ServiceFailure:
    """Tell what an error means; the first error of its chain of causes that tells anything counts.

    >>> failure_of(ConnectionRefusedError("refused")).said
    'ConnectionRefusedError: refused'
    >>> failure_of(json.JSONDecodeError("Expecting value", "", 0)).kind.name
    'PROTOCOL_ERROR'
    """
    for cause in _chain(error):
        if isinstance(cause, ServiceFailureError):
            return cause.failure
        if (response := _response_of(cause)) is not None:
            return _of_response(cause, response)
        if hasattr(cause, "rcvd") and hasattr(cause, "sent"):
            return _of_closing(cause)
    told = [cause for cause in _chain(error) if str(cause)] or [error]
    said = one_line(f"{type(told[-1]).__name__}: {told[-1]}")  # what is behind it tells most
    names = {kind.__name__ for cause in _chain(error) for kind in type(cause).__mro__}
    if "ResponseValidationError" in names:
        said = one_line(f"an answer that its SDK can't read: {getattr(error, 'body', error)}")
        return ServiceFailure(Kind.PROTOCOL_ERROR, said)
    if names & {"ValueError", "AttributeError", "TypeError", "EchobenchError"}:
        return ServiceFailure(Kind.PROTOCOL_ERROR, said)
    if names & {"TimeoutError", "TimeoutException"}:
        return ServiceFailure(Kind.TIMEOUT, said)
    if code := getattr(error, "code", None) or getattr(error, "type", None):
        return of_code(str(code), str(error))  # told inside an answer that began well
    return ServiceFailure(Kind.LOST, said)


def of_code(code: str, said: str) -> ServiceFailure:
    """Tell what a service's own word for an error means.

    >>> of_code("insufficient_quota", "no more").kind.name, of_code("3804", "late").kind.name
    ('QUOTA', 'SERVER')
    """
    kinds = {
        "insufficient_quota": Kind.QUOTA,
        "rate_limit_exceeded": Kind.LIMIT,
        "session_expired": Kind.LOST,
        "invalid_api_key": Kind.KEY,
        "server_error": Kind.SERVER,
    }
    unknown = Kind.SERVER if code.isdecimal() else Kind.REQUEST
    return ServiceFailure(kinds.get(code, unknown), one_line(said))


def one_line(text: str) -> str:
    r"""Cut a text to what is worth passing on.

    >>> one_line("HTTP 500:\n  busy")
    'HTTP 500: busy'
    """
    return " ".join(text[: 2 * MAX_SAID].split())[:MAX_SAID]


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read `Retry-After`, which holds seconds or a date; None where it isn't there or unreadable.

    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> seconds_to_wait({"Retry-After": "1.5"}, now)
    1.5
    >>> seconds_to_wait({"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}, now)
    60.0
    >>> seconds_to_wait({"Retry-After": "Thu, 01 Jan 2026 00:01:00 -0000"}, now)
    60.0
    >>> seconds_to_wait({"Retry-After": "soon"}, now) is seconds_to_wait({}, now) is None
    True
    """
    try:
        text = headers.get("Retry-After", "").strip()
    except LookupError:  # given twice, to the WebSocket library
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            until = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return max(0.0, seconds) if seconds < float("inf") else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _response_of(error: BaseException) -> Any | None:
    """The HTTP response that an error carries, if it is one of refusal."""
    response = getattr(error, "raw_response", None) or getattr(error, "response", None)
    return response if getattr(response, "status_code", 0) >= 400 else None


def _of_response(error: BaseException, response: Any) -> ServiceFailure:
    status: int = response.status_code
    code, said = _told(getattr(error, "body", None) or getattr(response, "body", None))
    if status in (401, 403):
        kind = Kind.KEY
    elif status == 429:
        kind = Kind.QUOTA if code == "insufficient_quota" else Kind.LIMIT
    elif status >= 500 or status == 408:
        kind = Kind.SERVER
    else:
        kind = Kind.REQUEST
    wait_s = seconds_to_wait(response.headers, datetime.now(UTC))
    said = one_line(f"HTTP {status}" + (f": {said}" if said else ""))
    return ServiceFailure(kind, said, wait_s, refused=True)


def _told(body: object) -> tuple[str, str]:
    """The code and the message in the body of a refusal."""
    if isinstance(body, bytes | bytearray):
        body = body.decode(errors="replace")
    text = body if isinstance(body, str) else ""
    if text:
        try:
            body = json.loads(text)
        except ValueError:
            return "", text
    inner = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return "", text
    said = inner.get("message") or inner.get("detail") or ""
    return str(inner.get("code", "")), str(said)


def _of_closing(closed: Any) -> ServiceFailure:
    said = one_line(str(closed))
    received = closed.rcvd.code if closed.rcvd else None
    if closed.sent and closed.sent.code == TOO_BIG and not closed.rcvd_then_sent:
        return ServiceFailure(Kind.PROTOCOL_ERROR, said)
    return ServiceFailure(Kind.REQUEST if received in CLOSED_ON_PURPOSE else Kind.LOST, said)
