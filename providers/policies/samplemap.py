"""Where in an utterance an engine is, when it is fed more than the utterance."""

from dataclasses import dataclass, field


@dataclass
class SampleMap:
    """From samples that an engine was fed to samples of the utterance; silence in between is none.

    >>> between = SampleMap()
    >>> between.add(fed=1000, samples=300)
    >>> between.add(fed=5000, samples=300)  # after silence of our own
    >>> [between.utterance_at(fed) for fed in (0, 1200, 4000, 5100, 9000)]
    [0, 200, 300, 400, 600]
    """

    total: int = 0
    """Samples of the utterance so far."""
    _pieces: list[tuple[int, int, int]] = field(default_factory=list)  # fed, utterance, samples

    def add(self, fed: int, samples: int) -> None:
        """Note that the next samples of the utterance are fed after `fed` others."""
        self._pieces.append((fed, self.total, samples))
        self.total += samples

    def utterance_at(self, fed: int) -> int:
        """How much of the utterance an engine has read that has read so many samples in all."""
        for begin, at, samples in reversed(self._pieces):
            if begin <= fed:
                return at + min(fed - begin, samples)
        return 0
