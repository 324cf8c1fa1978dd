"""Counts of the performance and efficiency cores of hybrid processors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CoreCounts:
    """Physical cores by kind; None where the system doesn't distinguish them."""

    performance: int | None = None
    efficiency: int | None = None
