"""Classifies failures of services by the exceptions of SDKs and of the libraries below them.

Each provider classifies its SDK's exceptions. All SDKs pass on those of the same two libraries, for
HTTP and for WebSockets, which are imported here only when something fails.
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

MAX_LETTERS = 500
"""Maximum length of a service's message."""
TOO_BIG = 1009
CLIENT_MISTAKES = {1002, 1003, 1007, 1008, 1010, *range(3000, 5000)}
"""WebSocket close codes that report a mistake of the client, so a retry would not help."""


class Kind(Enum):
    """The kind of a failure, which decides whether a retry may help."""

    KEY = auto()
    """The key is invalid, or lacks the permission."""
    REQUEST = auto()
    """The requested model or option doesn't exist or isn't supported."""
    QUOTA = auto()
    """The paid quota is used up."""
    LIMIT = auto()
    """The rate limit was exceeded."""
    SERVER = auto()
    """The service failed."""
    LOST = auto()
    """The connection broke, or could not be established."""
    TIMEOUT = auto()
    """The connection was not ready in time."""
    SILENT = auto()
    """The service accepted audio, and did not answer in time."""
    PROTOCOL_ERROR = auto()
    """The service sent something that violates its protocol."""


@dataclass(frozen=True)
class ServiceFailure:
    """A classified failure, with the service's own message where there is one."""

    kind: Kind
    message: str
    """One line of at most `MAX_LETTERS`."""
    retry_after_s: float | None = None
    """The wait that the service asks for."""
    refused: bool = False
    """Whether it rejected a request by HTTP status, so that no audio was processed."""


class ServiceFailureError(ProviderError):
    """Raised where a failure is already classified."""

    def __init__(self, kind: Kind, message: str) -> None:
        self.failure = ServiceFailure(kind, one_line(message))
        super().__init__("service", message)

    @classmethod
    def of(cls, failure: ServiceFailure) -> Self:
        """Wrap a failure."""
        return cls(failure.kind, failure.message)


OfSdk = Callable[[BaseException], ServiceFailure | None]
"""Classifies an SDK's own exceptions; None for any other."""


def failure_of(error: BaseException, of_sdk: OfSdk) -> ServiceFailure:
    """Classify an error by the first cause in its chain that can be classified.

    Args:
        error: What was raised.
        of_sdk: Classifies the exceptions of the SDK that was used.

    >>> failure_of(ConnectionRefusedError("refused"), lambda cause: None).message
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
    return ServiceFailure(kind, message_of(error))


def message_of(error: BaseException) -> str:
    """Return the message of an error's deepest cause in one line, since that has the most detail.

    >>> message_of(OSError(113, "No route to host"))
    'OSError: [Errno 113] No route to host'
    """
    causes = [cause for cause in _chain(error) if str(cause)] or [error]
    return one_line(f"{type(causes[-1]).__name__}: {causes[-1]}")


def of_code(code: str, message: str) -> ServiceFailure:
    """Classify a service's own error code.

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
    return ServiceFailure(kinds.get(code, unknown), one_line(message))


def one_line(text: str) -> str:
    r"""Put a text into one line of at most `MAX_LETTERS`.

    >>> one_line("HTTP 500:\n  busy")
    'HTTP 500: busy'
    """
    return " ".join(text[: 2 * MAX_LETTERS].split())[:MAX_LETTERS]


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Parse `Retry-After`, which holds seconds or a date; None where it is missing or invalid.

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
    except LookupError:  # the WebSocket library raises it for a header that is given twice
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
    """Classify exceptions of httpx2 and websockets, which all SDKs pass on."""
    import httpx2  # already imported by the SDK
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    match error:
        case InvalidStatus(response=response):
            return refusal(response.status_code, response.headers, response.body)
        case ConnectionClosed():
            return _of_closing(error)
        case httpx2.TimeoutException():
            return ServiceFailure(Kind.TIMEOUT, message_of(error))
    return None


def refusal(status: int, headers: Mapping[str, str], body: object) -> ServiceFailure:
    """Classify an HTTP response of status 400 or more.

    >>> refusal(404, {}, '{"error": {"message": "no such model"}}').message
    'HTTP 404: no such model'
    """
    code, message = _code_and_message(body)
    if status in (401, 403):
        kind = Kind.KEY
    elif status == 429:
        kind = Kind.QUOTA if code == "insufficient_quota" else Kind.LIMIT
    elif status >= 500 or status == 408:
        kind = Kind.SERVER
    else:
        kind = Kind.REQUEST
    wait_s = seconds_to_wait(headers, datetime.now(UTC))
    message = one_line(f"HTTP {status}" + (f": {message}" if message else ""))
    return ServiceFailure(kind, message, wait_s, refused=True)


def _code_and_message(body: object) -> tuple[str, str]:
    """Return the error code and message in a response's body."""
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
    message = inner.get("message") or inner.get("detail") or ""
    return str(inner.get("code", "")), str(message)


def _of_closing(closed: "ConnectionClosed") -> ServiceFailure:
    message = one_line(str(closed))
    received = closed.rcvd.code if closed.rcvd else None
    if closed.sent and closed.sent.code == TOO_BIG and not closed.rcvd_then_sent:
        return ServiceFailure(Kind.PROTOCOL_ERROR, message)
    return ServiceFailure(Kind.REQUEST if received in CLIENT_MISTAKES else Kind.LOST, message)
