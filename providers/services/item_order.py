"""Maps a service's item ids to utterances, where each item names its predecessor."""

from providers.services.failures import Kind, ServiceFailureError


class Items:
    """Numbers items by the chain of their predecessors, since answers arrive in any order.

    >>> items = Items()
    >>> items.number("b")  # not committed yet, so it is the open utterance
    0
    >>> items.committed("b", None)
    >>> items.committed("c", "b")
    >>> items.number("c"), items.number("d")
    (1, 2)
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._last: str | None = None

    def committed(self, item: object, previous: object) -> None:
        """Register an item that follows the previous one.

        Raises:
            ServiceFailureError: It doesn't follow the last committed item.
        """
        if not isinstance(item, str) or item in self._numbers:
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"committed item {item!r:.80}")
        if self._last is not None and previous != self._last:
            problem = f"item {item!r:.80} follows {previous!r:.80}, not {self._last!r:.80}"
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, problem)
        self._numbers[item] = len(self._numbers)
        self._last = item

    def number(self, item: object) -> int:
        """Return an item's utterance; an item that isn't committed yet is the next one.

        Raises:
            ServiceFailureError: It isn't an item's id.
        """
        if not isinstance(item, str):
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"item {item!r:.80}")
        return self._numbers.get(item, len(self._numbers))
