"""Limits on figures, which may grow with the length of chunks."""

import operator
import re
from collections.abc import Callable

import msgspec

from harness.support.arguments import CHUNK_SECONDS

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER = r"-?\d+(?:\.\d+)?"
_FORM = re.compile(
    rf"(?P<sign><=|>=|<|>)\s*(?P<opened>max\(\s*(?P<floor>{_NUMBER})\s*,\s*)?"
    rf"(?:(?P<constant>{_NUMBER})|(?:(?P<base>{_NUMBER})\s*\+\s*)?(?P<per_chunk_s>{_NUMBER})"
    r"\s*\*\s*chunk)(?(opened)\s*\))"
)


class Limit(msgspec.Struct, frozen=True):
    """A limit such as "< 0.5".

    >>> Limit("<", 0.5).allows(0.4), Limit("<=", 0.0).allows(0.1)
    (True, False)
    """

    sign: str
    number: float

    def allows(self, value: float) -> bool:
        """Whether a value keeps the limit."""
        return OPERATORS[self.sign](value, self.number)

    def includes(self, other: "Limit") -> bool:
        """Whether this limit allows every value that the other one allows.

        >>> Limit("<", 5).includes(Limit("<=", 4)), Limit("<", 5).includes(Limit("<=", 5))
        (True, False)
        >>> Limit("<", 5).includes(Limit(">", 1))
        False
        """
        same_way = self.sign[0] == other.sign[0]
        touches = self.number == other.number and "=" not in other.sign
        return same_way and (self.allows(other.number) or touches)

    def worse_end(self, bounds: tuple[float, float]) -> float:
        """The end of an interval that is closer to breaking the limit."""
        return bounds[1] if self.sign.startswith("<") else bounds[0]

    def better_end(self, bounds: tuple[float, float]) -> float:
        """The other end."""
        return bounds[0] if self.sign.startswith("<") else bounds[1]

    @property
    def amount(self) -> str:
        """The number as text, without the sign."""
        return f"{self.number:g}"

    def __str__(self) -> str:
        return f"{self.sign} {self.amount}"


class ChunkLimit(msgspec.Struct, frozen=True):
    """A limit that may grow with the chunk: a number plus a multiple of the chunk's length.

    >>> limit = ChunkLimit.parse("< max(4, 2 + 1 * chunk)")
    >>> [str(limit.at(chunk_s)) for chunk_s in (0.5, 2.0, 4.0, 8.0)]
    ['< 4', '< 4', '< 6', '< 10']
    """

    sign: str
    base: float
    per_chunk_s: float = 0.0
    """What each second of the chunk adds to the base."""
    floor: float | None = None
    """Least number, for short chunks."""

    @classmethod
    def parse(cls, text: str) -> "ChunkLimit":
        """Parse a limit.

        Raises:
            ValueError: The text has none of the allowed forms.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            allowed = "'< 0.5', '<= 0', '< 4 + 0.75 * chunk', '< max(2, 0.75 * chunk)', …"
            raise ValueError(f"{text!r} is no limit; allowed: {allowed}")
        part = {name: float(found[name] or 0) for name in ("constant", "base", "per_chunk_s")}
        floor = None if found["floor"] is None else float(found["floor"])
        return cls(found["sign"], part["constant"] + part["base"], part["per_chunk_s"], floor)

    def at(self, chunk_s: float) -> Limit:
        """The limit for a length of chunks."""
        number = round(self.base + self.per_chunk_s * chunk_s, 9)
        return Limit(self.sign, number if self.floor is None else max(self.floor, number))

    def includes(self, other: "ChunkLimit") -> bool:
        """Whether this limit is no stricter than the other, for every length of chunks.

        Both are lines with at most one corner, so comparing corners and ends is enough.

        >>> loose = ChunkLimit.parse("< max(2, 0.75 * chunk)")
        >>> [loose.includes(ChunkLimit.parse(text)) for text in ("< 2", "< 3", "< 0.8 * chunk")]
        [True, False, False]
        """
        lengths_s = [*CHUNK_SECONDS, *self._corner_s(), *other._corner_s()]
        return all(self.at(length_s).includes(other.at(length_s)) for length_s in lengths_s)

    def _corner_s(self) -> list[float]:
        if self.floor is None or not self.per_chunk_s:
            return []
        corner_s = (self.floor - self.base) / self.per_chunk_s
        return [corner_s] if CHUNK_SECONDS[0] < corner_s < CHUNK_SECONDS[1] else []

    @property
    def amount(self) -> str:
        """The limit as text, without the sign."""
        if not self.per_chunk_s:
            return self.at(0.0).amount
        line = f"{self.base:g} + " if self.base else ""
        line += f"{self.per_chunk_s:g} * chunk"
        return line if self.floor is None else f"max({self.floor:g}, {line})"

    def __str__(self) -> str:
        return f"{self.sign} {self.amount}"
