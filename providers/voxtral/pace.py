"""Predicts when voxtral.c computes, from the audio fed and the symbols of `--monitor`.

It reads 128 ms of audio, then 256 ms at a time, and computes whenever enough new frames of 10 ms
have arrived. It writes `▶` after the encoder, `·` when its prompt of 39 tokens is complete, and
another symbol after the decoder. Eight frames are a token. The first computation needs 312 frames,
of which it generates 255 as padding. So the audio fed determines how many answers are due; after
the last of them, no more text follows (voxtral.c and main.c at 134d366).
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
"""Frames of padding before the first sample."""
_FREE_SAMPLES = (FREE_FRAMES - 1) * HOP + 120
TOKEN = TOKEN_FRAMES * HOP
"""Samples of a token: 80 ms."""
DELAY_S = 0.48
"""A word's text follows its end by this much audio."""


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
        """Samples read at the last computation."""
        self.is_prompted = False
        """Whether it recognises further audio; else it uses it as (part of) its prompt."""
        self.prompt_since: int | None = None
        """The sample since which it has used all audio as its prompt; None while it recognises."""
        self._prompted_at = self._text_at = 0
        self._begin = 0  # the sample after the last full reset
        self._frames = 0  # encoded since then
        self._reset_tokens = 0  # tokens before the last reset of the decoder alone
        self.awaited = ""
        """Symbols one of which follows, until the last encoded audio is decoded."""

    @property
    def is_idle(self) -> bool:
        """Whether it has answered all audio that it was fed."""
        return not self.awaited and self.due_at() > self.fed

    @property
    def ahead(self) -> int:
        """Samples fed and not answered."""
        return self.fed - self.taken

    @property
    def missing_prompt(self) -> int:
        """Samples missing for its prompt; 1 after a full reset."""
        return max(1, (PROMPT_TOKENS - self._tokens) * TOKEN - self.ahead) if self._frames else 1

    @property
    def since_prompt(self) -> int:
        """Samples fed since its prompt, whose text it keeps as context."""
        return self.fed - self._prompted_at

    @property
    def since_text(self) -> int:
        """Samples fed since its last text, or since its prompt."""
        return self.fed - self._text_at

    def due_at(self) -> int:
        """Return the number of samples fed at which it computes next."""
        return self._due_after(self.taken, self._frames)[0]

    def missing(self, least: int) -> int:
        """Return how many samples, at least `least`, to feed so that none stays unprocessed."""
        at, frames = self._due_after(self.taken, self._frames)
        while at < self.fed + least:
            at, frames = self._due_after(at, frames)
        return at - self.fed

    def encoded(self) -> None:
        """Process `▶`."""
        self.taken, self._frames = self._due_after(self.taken, self._frames)
        if self.is_prompted:
            self.awaited = DECODED
        elif self._tokens >= PROMPT_TOKENS:
            self.awaited = PREFILLED

    def prefilled(self) -> None:
        """Process `·`."""
        self.is_prompted, self.prompt_since = True, None
        self._prompted_at = self._text_at = self.taken
        self.awaited = DECODED if self._tokens > PROMPT_TOKENS else ""

    def decoded(self, *, text: bool) -> None:
        """Process the symbol after the decoder, which shows whether there was text."""
        self.awaited = ""
        if text:
            self._text_at = self.taken

    def reset(self, *, fully: bool) -> None:
        """Process `♻`, a full reset, or `✂`, a reset of the decoder alone."""
        self.is_prompted = False
        if fully:  # its prompt is padding, and further audio is recognised
            self._begin, self._frames, self.prompt_since = self.taken, 0, None
            self._reset_tokens = 0
        else:
            self.prompt_since, self._reset_tokens = self.taken, self._frames // TOKEN_FRAMES

    @property
    def _tokens(self) -> int:
        return self._frames // TOKEN_FRAMES - self._reset_tokens

    def _due_after(self, taken: int, frames: int) -> tuple[int, int]:
        """Return the samples read when it computes next, and its frames then."""
        needed = frames + self._step if frames else FIRST_FRAMES
        samples = self._begin + (needed - 1) * HOP - _FREE_SAMPLES
        reads = max(0, -(-(samples - FIRST_READ) // READ))
        at = max(FIRST_READ + reads * READ, taken)
        return at, (at - self._begin + _FREE_SAMPLES) // HOP + 1
