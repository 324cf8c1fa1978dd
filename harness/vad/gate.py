"""Opens for speech and closes after it, by the probabilities of windows.

It opens when some windows in a row are likely speech, and then lets through what came shortly
before too: onsets are quieter than what follows. It stays open for a while after the last likely
window, since words have soft ends and pauses.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Move = Literal["keep", "open", "pass", "close"]


@dataclass(frozen=True)
class GateSettings:
    """When to open and close; counts are of windows of 32 ms."""

    opens_at: float = 0.4
    """From this probability on, a window is likely speech. At 0.5, words in noise were lost."""
    closes_below: float = 0.2
    """Below this, it likely isn't; between the two, nothing changes."""
    onset: int = 2
    """Likely windows in a row that open the gate."""
    before: int = 10
    """Windows before those that are let through too."""
    after: int = 16
    """Unlikely windows in a row that close it; they are let through."""


class Gate:
    """See the module."""

    def __init__(self, settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self.is_open = False
        self._likely = self._unlikely = 0

    def decide(self, probability: float) -> Move:
        """Judge the next window.

        Returns:
            "keep" while closed: keep it back, it may be needed; "open": let it through after the
            last ones that were kept back; "pass": let it through; "close": let it through and no
            more.

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
        """How many windows may still be let through while the gate is closed."""
        return self.settings.before + self.settings.onset - 1


def let_through(probabilities: Iterable[float], settings: GateSettings | None = None) -> list[bool]:
    """Tell which windows a gate lets through, all known beforehand.

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
