"""Why a connection is closed: a code that programs can tell apart, and a sentence for people."""

from enum import IntEnum

from harness.errors import EchobenchError


class Close(IntEnum):
    """Codes of the close frame; below 4000 those of the WebSocket standard."""

    DONE = 1000
    TOO_BIG = 1009
    """A message over the size limit; the library says so itself."""
    PROVIDER_FAILED = 1011
    FULL = 1013
    """All sessions are taken; try again later."""
    BAD_MESSAGE = 4400
    """Not of the protocol's form: a wrong first message, text for binary, an odd size, …"""
    UNKNOWN = 4404
    """A source or a session that there isn't."""
    TOO_SLOW_TO_BEGIN = 4408
    """Nothing was said for too long."""
    SESSION_TAKEN = 4409
    """Another client sends to this session."""
    OUT_OF_ORDER = 4410
    """A frame came twice, came after a later one, or far too many were lost."""
    SLOW_CONSUMER = 4413
    """It doesn't read what it is sent."""
    FLOOD = 4429
    """More audio, or more messages, than anyone can speak."""


class RefusalError(EchobenchError):
    """A client did what it must not, or there is no room for it; ends its connection alone.

    Args:
        close: The code.
        problem: What was given, and why it can't be used.
        allowed: What would be accepted.
    """

    def __init__(self, close: Close, problem: str, allowed: str | None = None) -> None:
        super().__init__(close.name.lower().replace("_", " "), problem, allowed)
        self.close = close

    @property
    def reason(self) -> str:
        """What fits into a close frame: 123 bytes."""
        text = self.problem + (f"; allowed: {self.allowed}" if self.allowed else "")
        return text.encode()[:123].decode(errors="ignore")
