"""Decides by the speech probabilities of windows which audio is let through.

The gate opens after some consecutive windows of likely speech, and then also lets through the
windows shortly before, since speech begins softly. It closes some windows after the last likely
speech, since words end softly and have pauses between them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Move = Literal["keep", "open", "pass", "close"]


@dataclass(frozen=True)
class GateSettings:
    """Thresholds of the gate; counts are numbers of windows of 32 ms."""

    opens_at: float = 0.4
    """From this probability on, a window is likely speech. At 0.5, words in noise were lost."""
    closes_below: float = 0.2
    """Below this, it likely isn't; between the two, nothing changes."""
    onset: int = 2
    """Consecutive likely windows that open the gate."""
    before: int = 10
    """Windows before those that are let through too."""
    after: int = 16
    """Unlikely windows, without a likely one between, that close it; they are let through."""


class Gate:
    """Opens for speech and closes after it, window by window."""

    def __init__(self, settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self.is_open = False
        self._likely = self._unlikely = 0

    def decide(self, probability: float) -> Move:
        """Decide what to do with the next window.

        Returns:
            "keep" while closed: hold it back, it may be needed; "open": let through the windows
            that were held back last, and this one; "pass": let it through; "close": let it
            through as the last one.

        >>> gate = Gate(GateSettings(onset=2, after=2))
        >>> [gate.decide(p) for p in (0.9, 0.1, 0.9, 0.9, 0.3, 0.1, 0.1, 0.1)]
        ['keep', 'keep', 'keep', 'open', 'pass', 'pass', 'close', 'keep']
        """
        settings = self.settings
        if not self.is_open:
            self._likely = self._likely + 1 if probability >= settings.opens_at else 0
            if self._likely < settings.onset:
                return "keep"
            self.is_open, self._unlikely = True, 0
            return "open"
        if probability < settings.closes_below:
            self._unlikely += 1
        elif probability >= settings.opens_at:
            self._unlikely = 0
        if self._unlikely < settings.after:
            return "pass"
        self.is_open, self._likely = False, 0
        return "close"

    @property
    def kept_back(self) -> int:
        """The number of windows to hold back while the gate is closed."""
        return self.settings.before + self.settings.onset - 1


def let_through(probabilities: Iterable[float], settings: GateSettings | None = None) -> list[bool]:
    """Tell which windows of a complete recording a gate lets through.

    >>> let_through([0.1, 0.2, 0.9, 0.9, 0.1, 0.1], GateSettings(onset=2, before=1, after=1))
    [False, True, True, True, True, False]
    """
    gate = Gate(settings)
    passed: list[bool] = []
    for probability in probabilities:
        move = gate.decide(probability)
        passed.append(move != "keep")
        if move == "open":
            for index in range(max(0, len(passed) - 1 - gate.kept_back), len(passed)):
                passed[index] = True
    return passed
