"""What the providers of Whisper models share, whatever the engine: how much of it a window needs.

Whisper's encoder looks at 30 s, always: what is missing is padding, and costs as much as speech.
Both engines can be told to leave that out. The embedded model was trained for it. Others were not
and may answer worse, so they do without padding in partials only, and each final is decoded with
all of it.
"""

import math

from harness.contract import ProviderSettings, SessionConfig
from providers.streaming.segmenter import Limits
from providers.streaming.windowed import WindowedProvider
from providers.whisper.models import traits_of

ALL_POSITIONS = 1500
"""Of the encoder: 30 s."""
POSITIONS_PER_S = 50
SPARE_POSITIONS = 64
"""Silence after the window; without any, the last words get lost."""
FRAGMENT_S = 0.3
"""So little of a sentence that goes on is hardly a word, and not worth a decode."""
TOKENS_PER_S = 8
"""More than anyone says, so only a decode that loops is stopped by it."""


class WhisperSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options that every engine has."""

    short_context: bool = True
    """Leave out padding to 30 s where that does no lasting harm, which is several times faster."""


class WhisperProvider(WindowedProvider):
    """A subclass says how to `load`, calling `prepare` first, and how to `decode`."""

    settings: WhisperSettings

    def prepare(self, config: SessionConfig) -> None:
        """Set what follows from the model and the settings.

        Raises:
            ModelError: The model doesn't know the language.
        """
        self.language = config.language
        traits = traits_of(config.model, config.language)
        self.limits = Limits(longest_s=traits.longest_s, news_s=FRAGMENT_S)
        self.stamps_words = traits.stamps_words
        self._fewest_positions = traits.fewest_positions
        self._short_partials = self.settings.short_context
        self._short_finals = self.settings.short_context and traits.bears_short_context
        self.decodes_finals_anew = self._short_partials and not self._short_finals

    def positions(self, length_s: float, *, is_final: bool) -> int:
        """How many of the encoder's positions to compute for a window."""
        if not (self._short_finals if is_final else self._short_partials):
            return ALL_POSITIONS
        wanted = math.ceil(length_s * POSITIONS_PER_S) + SPARE_POSITIONS
        return min(ALL_POSITIONS, max(wanted, self._fewest_positions))


def most_tokens(length_s: float) -> int:
    """How many tokens a window may be answered with.

    >>> most_tokens(2.0)
    20
    """
    return math.ceil(length_s * TOKENS_PER_S) + 4
