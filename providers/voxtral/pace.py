"""When voxtral.c computes, and on what, told from what it was fed and the symbols of `--monitor`.

It reads 128 ms of audio, then 256 ms at a time, and computes whenever enough frames of 10 ms are
new: then it writes `▶` after the encoder, `·` when its prompt of 39 tokens is complete, and another
symbol after the decoder. Eight frames are a token. The first time needs 312 frames, of which it
makes up 255 by itself. So from the audio fed it is known how many answers are due; and when all
have come, it has nothing left to say (voxtral.c and main.c at 134d366).
"""

import numpy as np

ENCODED = "▶"
PREFILLED = "·"
DECODED_TEXT = "▪▸"
DECODED = f"{DECODED_TEXT}▫▹✗✘◦"
DECODER_RESET, FULL_RESET = "✂", "♻"
RESETS = f"{DECODER_RESET}{FULL_RESET}"

FIRST_READ, READ = 2048, 4096
"""Samples that it reads at once."""
HOP = 160
TOKEN_FRAMES, PROMPT_TOKENS = 8, 39
FIRST_FRAMES = TOKEN_FRAMES * PROMPT_TOKENS
FREE_FRAMES = 255
"""What it has before the first sample."""
_FREE_SAMPLES = (FREE_FRAMES - 1) * HOP + 120
TOKEN = TOKEN_FRAMES * HOP
"""Samples of a token: 80 ms."""
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
    >>> pace.prefilled()
    >>> pace.taken, pace.due_at()
    (10240, 18432)
    """

    def __init__(self, interval_s: float) -> None:
        self._step = max(1, int(np.float32(interval_s) * np.float32(100)))
        self.fed = 0
        self.taken = 0
        """What it had read when it last computed."""
        self.is_prompted = False
        """Whether it recognises what it reads; else that is its prompt, wholly or in part."""
        self.deaf_since: int | None = None
        """Since which sample, if all that it has read since then is taken for its prompt."""
        self._prompted_at = self._text_at = 0
        self._begin = 0  # the sample after the last full reset
        self._frames = 0  # those that it has encoded since then
        self._reset_tokens = 0  # those before the last reset of the decoder alone
        self.awaited = ""
        """Symbols of which one follows, until it has done with what it last encoded."""

    @property
    def is_idle(self) -> bool:
        """Whether it has answered all that it was fed."""
        return not self.awaited and self.due_at() > self.fed

    @property
    def ahead(self) -> int:
        """Samples that it was fed and has not answered."""
        return self.fed - self.taken

    @property
    def missing_prompt(self) -> int:
        """Samples that its prompt lacks; after a full reset, it lacks but a moment."""
        return max(1, (PROMPT_TOKENS - self._tokens) * TOKEN - self.ahead) if self._frames else 1

    @property
    def since_prompt(self) -> int:
        """Samples fed since its prompt: it remembers the text of all of them."""
        return self.fed - self._prompted_at

    @property
    def since_text(self) -> int:
        """Samples fed since it said something, or got its prompt."""
        return self.fed - self._text_at

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
        if self.is_prompted:
            self.awaited = DECODED
        elif self._tokens >= PROMPT_TOKENS:
            self.awaited = PREFILLED

    def prefilled(self) -> None:
        """Take note of `·`."""
        self.is_prompted, self.deaf_since = True, None
        self._prompted_at = self._text_at = self.taken
        self.awaited = DECODED if self._tokens > PROMPT_TOKENS else ""

    def decoded(self, *, text: bool) -> None:
        """Take note of the symbol after the decoder; two of them tell that there was text."""
        self.awaited = ""
        if text:
            self._text_at = self.taken

    def reset(self, *, fully: bool) -> None:
        """Take note of `♻`, or of `✂` where not all was reset."""
        self.is_prompted = False
        if fully:  # it makes up a prompt of silence, and what it reads then is recognised
            self._begin, self._frames, self.deaf_since = self.taken, 0, None
            self._reset_tokens = 0
        else:
            self.deaf_since, self._reset_tokens = self.taken, self._frames // TOKEN_FRAMES

    @property
    def _tokens(self) -> int:
        return self._frames // TOKEN_FRAMES - self._reset_tokens

    def _due_after(self, taken: int, frames: int) -> tuple[int, int]:
        """The next read that makes it compute, and how many frames it then has."""
        needed = frames + self._step if frames else FIRST_FRAMES
        samples = self._begin + (needed - 1) * HOP - _FREE_SAMPLES
        reads = max(0, -(-(samples - FIRST_READ) // READ))
        at = max(FIRST_READ + reads * READ, taken)
        return at, (at - self._begin + _FREE_SAMPLES) // HOP + 1
