"""How much of everything a client may use, so that none can harm the others."""

import msgspec

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ


class LiveLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of the live server; the defaults suit a captioning app on the same machine."""

    connections: int = 64
    """At once, pages and onlookers included."""
    connections_per_s: float = 5.0
    """On average, beyond …"""
    connections_burst: float = 64.0
    """… that many at once, as when all clients come back; who comes sooner has to wait."""
    handshakes: int = 64
    """Connections that have not said yet what they want."""
    handshake_s: float = 5.0
    first_message_s: float = 10.0
    ping_s: float = 10.0
    """How often a quiet connection is asked whether it is still there, and how long it has."""
    frame_bytes: int = 1 << 20
    audio_speed: float = 4.0
    """Audio a source may send, in seconds a second, on average …"""
    audio_burst_s: float = 30.0
    """… and this much at once, as after a network's hiccup."""
    messages_per_s: float = 400.0
    messages_burst: float = 2000.0
    gap_s: float = 10.0
    """Lost audio that silence stands for; more in one gap ends the connection."""
    unread_messages: int = 1000
    """That may wait for a client to read them …"""
    unread_s: float = 10.0
    """… and for how long."""

    @property
    def audio_bytes_per_s(self) -> float:
        """Of one source."""
        return self.audio_speed * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE

    @property
    def audio_burst_bytes(self) -> float:
        """Of one source."""
        return self.audio_burst_s * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE


class Bucket:
    """A budget that refills with time: so much a second, and so much at once.

    >>> bucket = Bucket(per_s=2.0, burst=3.0, at_s=0.0)
    >>> [bucket.take(1.0, at_s=0.0) for _ in range(4)]
    [True, True, True, False]
    >>> bucket.take(1.0, at_s=0.5)
    True
    """

    def __init__(self, per_s: float, burst: float, at_s: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._at_s = burst, at_s

    def take(self, amount: float, at_s: float) -> bool:
        """Use some of it; False where there isn't as much, and nothing is used."""
        self._left = min(self._burst, self._left + (at_s - self._at_s) * self._per_s)
        self._at_s = at_s
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def charge(self, amount: float) -> None:
        """Use up to as much of it as there is."""
        self._left = max(0.0, self._left - amount)
