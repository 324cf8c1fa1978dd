"""Which utterance a service speaks of, when it names items and each item names the one before."""

from providers.services.failures import Kind, ServiceFailureError


class Items:
    """Numbers items by the chain of their predecessors, since answers come in any order.

    >>> items = Items()
    >>> items.number("b")  # nothing was committed yet, so it is what is being said now
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
        """Take note of an item, which comes after the previous one.

        Raises:
            TroubleError: It doesn't follow the one that was committed last.
        """
        if not isinstance(item, str) or item in self._numbers:
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"committed item {item!r:.80}")
        if self._last is not None and previous != self._last:
            said = f"item {item!r:.80} follows {previous!r:.80}, not {self._last!r:.80}"
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, said)
        self._numbers[item] = len(self._numbers)
        self._last = item

    def number(self, item: object) -> int:
        """The utterance that an item is about; one that isn't committed yet is the next.

        Raises:
            TroubleError: It is no item's name.
        """
        if not isinstance(item, str):
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"item {item!r:.80}")
        return self._numbers.get(item, len(self._numbers))
