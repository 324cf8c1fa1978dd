"""What went wrong with a service, read off the exceptions of SDKs and of what they build on.

Each provider knows the exceptions of its SDK. All SDKs pass on those of the same two libraries, for
HTTP and for WebSockets; these are imported only when something fails.
"""

import email.utils
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Self

from harness.errors import EchobenchError, ProviderError

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

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


class ServiceFailureError(ProviderError):
    """Carries a failure that was recognised where it came up."""

    def __init__(self, kind: Kind, said: str) -> None:
        self.failure = ServiceFailure(kind, one_line(said))
        super().__init__("service", said)

    @classmethod
    def of(cls, failure: ServiceFailure) -> Self:
        """Wrap a failure."""
        return cls(failure.kind, failure.said)


OfSdk = Callable[[BaseException], ServiceFailure | None]
"""What an SDK's own exception means; None for any other."""


def failure_of(error: BaseException, of_sdk: OfSdk) -> ServiceFailure:
    """Tell what an error means; the first error of its chain of causes that tells anything counts.

    Args:
        error: What was raised.
        of_sdk: Knows the exceptions of the SDK that was used.

    >>> failure_of(ConnectionRefusedError("refused"), lambda cause: None).said
    'ConnectionRefusedError: refused'
    >>> failure_of(json.JSONDecodeError("Expecting value", "", 0), lambda cause: None).kind.name
    'PROTOCOL_ERROR'
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ServiceFailureError):
            return cause.failure
        if (failure := of_sdk(cause) or _of_transport(cause)) is not None:
            return failure
    if any(isinstance(cause, ValueError | AttributeError | TypeError | EchobenchError)
           for cause in chain):  # fmt: skip
        kind = Kind.PROTOCOL_ERROR
    elif any(isinstance(cause, TimeoutError) for cause in chain):
        kind = Kind.TIMEOUT
    else:
        kind = Kind.LOST
    return ServiceFailure(kind, said_by(error))


def said_by(error: BaseException) -> str:
    """One line of what lies deepest behind an error, for that tells most.

    >>> said_by(OSError(113, "No route to host"))
    'OSError: [Errno 113] No route to host'
    """
    said = [cause for cause in _chain(error) if str(cause)] or [error]
    return one_line(f"{type(said[-1]).__name__}: {said[-1]}")


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


def _of_transport(error: BaseException) -> ServiceFailure | None:
    """What an exception of the libraries means that all SDKs pass on: httpx2 and websockets."""
    import httpx2  # whoever gets here has made a client of it, so this costs nothing
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    match error:
        case InvalidStatus(response=response):
            return refusal(response.status_code, response.headers, response.body)
        case ConnectionClosed():
            return _of_closing(error)
        case httpx2.TimeoutException():
            return ServiceFailure(Kind.TIMEOUT, said_by(error))
    return None


def refusal(status: int, headers: Mapping[str, str], body: object) -> ServiceFailure:
    """What an HTTP response of status 400 or more means.

    >>> refusal(404, {}, '{"error": {"message": "no such model"}}').said
    'HTTP 404: no such model'
    """
    code, said = _told(body)
    if status in (401, 403):
        kind = Kind.KEY
    elif status == 429:
        kind = Kind.QUOTA if code == "insufficient_quota" else Kind.LIMIT
    elif status >= 500 or status == 408:
        kind = Kind.SERVER
    else:
        kind = Kind.REQUEST
    wait_s = seconds_to_wait(headers, datetime.now(UTC))
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


def _of_closing(closed: "ConnectionClosed") -> ServiceFailure:
    said = one_line(str(closed))
    received = closed.rcvd.code if closed.rcvd else None
    if closed.sent and closed.sent.code == TOO_BIG and not closed.rcvd_then_sent:
        return ServiceFailure(Kind.PROTOCOL_ERROR, said)
    return ServiceFailure(Kind.REQUEST if received in CLOSED_ON_PURPOSE else Kind.LOST, said)
