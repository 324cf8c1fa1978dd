"""Reasons for closing a connection: a code for programs and a sentence for people."""

from enum import IntEnum

from harness.errors import EchobenchError


class Close(IntEnum):
    """Codes of the close frame; below 4000 those of the WebSocket standard."""

    DONE = 1000
    TOO_BIG = 1009
    """A message over the size limit; sent by the WebSocket library itself."""
    PROVIDER_FAILED = 1011
    FULL = 1013
    """All sessions are taken; try again later."""
    BAD_MESSAGE = 4400
    """Against the protocol's form: a wrong first message, text for binary, an odd size, …"""
    UNKNOWN = 4404
    """A source or a session that doesn't exist."""
    TOO_SLOW_TO_BEGIN = 4408
    """No first message in time."""
    SESSION_TAKEN = 4409
    """Another client is sending to this session."""
    OUT_OF_ORDER = 4410
    """A frame came twice, came after a later one, or far too many were lost."""
    SLOW_CONSUMER = 4413
    """The client doesn't read its messages."""
    FLOOD = 4429
    """Far more audio, or more messages, than live speech makes."""


class RefusalError(EchobenchError):
    """A client broke the protocol, or there is no room for it; ends only its connection.

    Args:
        close: The code.
        problem: What was sent, and why it is refused.
        allowed: What would be accepted.
    """

    def __init__(self, close: Close, problem: str, allowed: str | None = None) -> None:
        super().__init__(close.name.lower().replace("_", " "), problem, allowed)
        self.close = close

    @property
    def reason(self) -> str:
        """The text for a close frame, cut to its limit of 123 bytes."""
        text = self.problem + (f"; allowed: {self.allowed}" if self.allowed else "")
        return text.encode()[:123].decode(errors="ignore")
