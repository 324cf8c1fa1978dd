"""Fast and frugal cores, as the makers of hybrid processors tell them apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CoreCounts:
    """Physical cores by kind; None where the system doesn't tell them apart."""

    performance: int | None = None
    efficiency: int | None = None
