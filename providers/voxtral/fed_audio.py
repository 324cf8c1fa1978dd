"""Maps the samples fed to an engine to an utterance that was fed with gaps or repeats."""

from dataclasses import dataclass, field

from harness.audio import BYTES_PER_SAMPLE


@dataclass
class FedAudio:
    """An utterance's audio, and where its parts are among all samples fed.

    >>> utterance = FedAudio()
    >>> utterance.add(fed=1000, pcm=bytes(600))
    >>> utterance.add(fed=5000, pcm=bytes(600))  # after inserted silence
    >>> [utterance.place(fed) for fed in (0, 1200, 4000, 5100, 9000)]
    [0, 200, 300, 400, 600]
    >>> len(utterance.again(fed=9000, begin=400))  # what follows the 400th sample, once more
    400
    >>> [utterance.place(fed) for fed in (5100, 9000, 9100)]
    [400, 400, 500]
    """

    pcm: bytearray = field(default_factory=bytearray)
    """16-bit mono PCM; all of the utterance so far."""
    _parts: list[tuple[int, int, int]] = field(default_factory=list)  # fed, begin, end

    @property
    def samples(self) -> int:
        """The length of the utterance so far."""
        return len(self.pcm) // BYTES_PER_SAMPLE

    def add(self, fed: int, pcm: bytes) -> None:
        """Record that more of the utterance is fed, after `fed` samples in all."""
        begin = self.samples
        self.pcm += pcm
        self._parts.append((fed, begin, self.samples))

    def again(self, fed: int, begin: int) -> bytes:
        """Record that the audio from a sample on is fed again, and return it."""
        self._parts.append((fed, begin, self.samples))
        return bytes(self.pcm[begin * BYTES_PER_SAMPLE :])

    def place(self, fed: int) -> int:
        """Return how much of the utterance an engine has read after `fed` samples in all."""
        for at, begin, end in reversed(self._parts):
            if at <= fed:
                return min(begin + fed - at, end)
        return 0
