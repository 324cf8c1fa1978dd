"""Limits on what each client may use, so that none can harm the others."""

import msgspec


class LiveLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of the live server; the defaults suit a captioning app on the same machine."""

    connections: int = 64
    """At once, including web pages and watchers."""
    connections_per_s: float = 5.0
    """On average, after …"""
    connections_burst: float = 64.0
    """… so many at once, as when all clients reconnect; further ones wait."""
    handshakes: int = 64
    """Connections whose handshake isn't complete."""
    handshake_s: float = 5.0
    first_message_s: float = 10.0
    ping_s: float = 10.0
    """Interval of pings on a connection, and the time limit of their answers."""
    frame_bytes: int = 1 << 20
    audio_speed: float = 4.0
    """Audio that a source may send, in seconds per second on average …"""
    audio_burst_s: float = 30.0
    """… and at once, as after a stall of the network."""
    messages_per_s: float = 400.0
    messages_burst: float = 2000.0
    gap_s: float = 10.0
    """Lost audio that silence replaces; more in one gap ends the connection."""
    unread_messages: int = 1000
    """Messages that may wait for a client to read them …"""
    unread_s: float = 10.0
    """… and how long."""


class Bucket:
    """A token bucket: `per_s` on average, and `burst` at once.

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
        """Use an amount; False, without using any, where less is left."""
        self._left = min(self._burst, self._left + (at_s - self._at_s) * self._per_s)
        self._at_s = at_s
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def charge(self, amount: float) -> None:
        """Use an amount, or all that is left."""
        self._left = max(0.0, self._left - amount)
