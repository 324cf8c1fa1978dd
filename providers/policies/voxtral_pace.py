"""When voxtral.c computes, and on what, told from what it was fed and the symbols of `--monitor`.

It reads 128 ms of audio, then 256 ms at a time, and computes whenever enough frames of 10 ms are
new: then it writes `▶` after the encoder and another symbol after the decoder. The first time needs
312 frames, of which it makes up 256 by itself. So from the audio fed it is known how many answers
are due; and when all have come, it has nothing left to say (voxtral.c and main.c at 134d366).
"""

import numpy as np

ENCODED = "▶"
PREFILLED = "·"
DECODED = "▪▸▫▹✗✘◦"
DECODER_RESET, FULL_RESET = "✂", "♻"

FIRST_READ, READ = 2048, 4096
"""Samples that it reads at once."""
HOP = 160
FIRST_FRAMES = 312
FREE_FRAMES = 255
"""What it has before the first sample."""
_FREE_SAMPLES = (FREE_FRAMES - 1) * HOP + 120
PROMPT_S = 3.12
"""After a reset of the decoder alone, so much audio is its prompt: nothing in it is recognised."""
LONGEST_PROMPT_S = 3 * PROMPT_S
DELAY_S = 0.48
"""It says a word so long after its end, in seconds of audio."""


class Pace:
    """Counts samples from the first that the process was fed.

    Args:
        interval_s: The process' option `-I`.

    >>> pace = Pace(0.5)
    >>> pace.due_at(), pace.missing(8000)
    (10240, 10240)
    >>> pace.encoded()
    >>> pace.taken, pace.due_at()
    (10240, 18432)
    """

    def __init__(self, interval_s: float) -> None:
        self._step = max(1, int(np.float32(interval_s) * np.float32(100)))
        self.fed = 0
        self.taken = 0
        """What it had read when it last computed."""
        self.is_prompted = False
        """Whether what it reads next is recognised; else it is taken for the prompt."""
        self._prompted_at = 0
        self._begin = 0  # the sample after the last full reset
        self._frames = 0  # those that it has encoded since then

    @property
    def is_idle(self) -> bool:
        """Whether the encoder has answered all that was fed."""
        return self.due_at() > self.fed

    @property
    def is_new(self) -> bool:
        """Whether it begins from nothing, so that its prompt is there already but for a moment."""
        return self._frames == 0

    @property
    def since_prompt(self) -> int:
        """Samples fed since its prompt: it remembers the text of all of them."""
        return self.fed - self._prompted_at

    def due_at(self) -> int:
        """How much it has to be fed before it computes next."""
        return self._due_after(self.taken, self._frames)[0]

    def missing(self, least: int) -> int:
        """Count the samples, at least so many, that are to be fed until nothing is held back."""
        at, frames = self._due_after(self.taken, self._frames)
        while at < self.fed + least:
            at, frames = self._due_after(at, frames)
        return at - self.fed

    def encoded(self) -> None:
        """Take note of `▶`."""
        self.taken, self._frames = self._due_after(self.taken, self._frames)

    def prefilled(self) -> None:
        """Take note of `·`."""
        self.is_prompted, self._prompted_at = True, self.taken

    def reset(self, *, fully: bool) -> None:
        """Take note of `♻`, or of `✂` where not all was reset."""
        self.is_prompted = False
        if fully:
            self._begin, self._frames = self.taken, 0

    def _due_after(self, taken: int, frames: int) -> tuple[int, int]:
        """The next read that makes it compute, and how many frames it then has."""
        needed = frames + self._step if frames else FIRST_FRAMES
        samples = self._begin + (needed - 1) * HOP - _FREE_SAMPLES
        reads = max(0, -(-(samples - FIRST_READ) // READ))
        at = max(FIRST_READ + reads * READ, taken)
        return at, (at - self._begin + _FREE_SAMPLES) // HOP + 1
