"""What a loopback service does wrong, and when: a lane is the first part of its address.

`http://127.0.0.1:PORT/rate_limited.7/openai/v1` behaves as `LANES["rate_limited"]` says; what
follows the dot only keeps lanes apart, for each counts on its own.
"""

import asyncio
import threading
from dataclasses import dataclass, field

KEY = "canary-7f3a91c2e5d84b06"
"""The only key that is let in; nothing that a run leaves behind may hold it."""
EVER = 1_000_000
AFTER_PROBE = 2
"""The first utterance of a run is the probe's; the second is the trial's first."""
DRIP_S = 0.2


@dataclass(frozen=True)
class Lane:
    """A fault: in how requests are answered, or in what is said about an utterance."""

    status: int = 200
    """What requests are answered with, the first `times` of them."""
    code: str = ""
    message: str = "no reason given"
    retry_after: str | None = None
    stall: str = ""
    """Where a request stops for ever: "answer", "created"."""
    trick: str = ""
    """What goes wrong with an utterance; see `WebSocketAnswers` and `send_events`."""
    first: int = AFTER_PROBE
    """The first utterance that it happens at, from 1."""
    times: int = EVER
    """How many requests or utterances it happens to."""


def refuses(status: int, code: str = "", message: str = "", **more: object) -> Lane:
    return Lane(status=status, code=code, message=message, **more)  # type: ignore[arg-type]


LANES: dict[str, Lane] = {
    "sound": Lane(),
    "unauthorized": refuses(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"),
    "forbidden": refuses(403, "unsupported_country", f"The key {KEY} may not do that"),
    "unknown_model": refuses(404, "model_not_found", "The model does not exist"),
    "rate_limited": refuses(429, "rate_limit_exceeded", "Too many", retry_after="1", times=2),
    "rate_limited_for_ever": refuses(429, "rate_limit_exceeded", "Too many", retry_after="0.1"),
    "rate_limited_for_an_hour": refuses(429, "rate_limit_exceeded", "Later", retry_after="3600"),
    "no_quota": refuses(429, "insufficient_quota", "You exceeded your current quota"),
    "fails_once": refuses(500, "server_error", "The server had an error", times=1),
    "fails": refuses(500, "server_error", f"An error about {KEY}"),
    "overloaded": refuses(503, "overloaded", "Busy", retry_after="0"),
    "never_answers": Lane(stall="answer"),
    "never_begins": Lane(stall="created"),
    "never_finishes": Lane(trick="stalls"),
    "drips": Lane(trick="drips"),
    "breaks_once": Lane(trick="breaks", times=1),
    "breaks": Lane(trick="breaks"),
    "closes_once": Lane(trick="closes", times=1),
    "leaves": Lane(trick="leaves", first=1, times=1),
    "garbage": Lane(trick="garbage"),
    "binary": Lane(trick="binary"),
    "huge": Lane(trick="huge"),
    "odd_types": Lane(trick="odd_types"),
    "bare": Lane(trick="bare"),
    "error_event": Lane(trick="error"),
    "error_once": Lane(trick="error", times=1),
    "failed_item": Lane(trick="failed"),
    "deaf": Lane(trick="deaf"),
    "late_first": Lane(trick="late_first", times=1),
}


@dataclass
class Counts:
    """What a lane has seen so far."""

    lane: Lane
    requests: list[float] = field(default_factory=list)
    """When each came, on the loop's clock."""
    utterances: int = 0
    tricks: int = 0
    tricked: threading.Event = field(default_factory=threading.Event)
    """Set when something has gone wrong with an utterance."""
    overtaken: int = 0
    """Items that were completed after the one that followed them."""
    open: int = 0
    """Connections that are open now."""
    most_open: int = 0

    def refuses(self) -> bool:
        """Count a request; tell whether it is to be refused."""
        self.requests.append(asyncio.get_running_loop().time())
        return self.lane.status != 200 and len(self.requests) <= self.lane.times

    def trick(self) -> str:
        """Count an utterance; name what is to go wrong with its answer, if anything."""
        self.utterances += 1
        due = self.utterances >= self.lane.first and self.tricks < self.lane.times
        self.tricks += due
        if due:
            self.tricked.set()
        return self.lane.trick if due else ""
