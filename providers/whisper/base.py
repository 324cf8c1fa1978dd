"""The common base of Whisper providers: how much of the encoder's context a window uses.

Whisper's encoder always processes 30 s: shorter windows are padded, and padding costs as much as
speech. Both engines can leave it out. The embedded model was trained for that; other models may be
less accurate without padding, so they omit it in partials only.
"""

import math

from harness.contract import ProviderSettings, SessionConfig
from providers.streaming.segmenter import Limits
from providers.streaming.windowed import WindowedProvider
from providers.whisper.models import traits_of

ALL_POSITIONS = 1500
"""Positions of the encoder for 30 s."""
POSITIONS_PER_S = 50
SPARE_POSITIONS = 64
"""Silence after the window; without it, the last words are lost."""
FRAGMENT_S = 0.3
"""Less new speech than this rarely has a word, and isn't worth a decode."""
TOKENS_PER_S = 8
"""More than in any speech, so the limit only stops a decode that loops."""


class WhisperSettings(ProviderSettings, frozen=True, kw_only=True):
    """Options that all engines have."""

    short_context: bool = True
    """Omit padding to 30 s where finals don't suffer, which is several times faster."""


class WhisperProvider(WindowedProvider):
    """Base of Whisper providers; a subclass defines `load`, which calls `prepare`, and `decode`."""

    settings: WhisperSettings

    def prepare(self, config: SessionConfig) -> None:
        """Set the attributes that depend on the model and the settings.

        Raises:
            ModelError: The model doesn't know the language.
        """
        self.language = config.language
        traits = traits_of(config.model, config.language)
        self.limits = Limits(longest_s=traits.longest_s, min_new_speech_s=FRAGMENT_S)
        self.stamps_words = traits.stamps_words
        self._min_positions = traits.min_positions
        self._short_partials = self.settings.short_context
        self._short_finals = self.settings.short_context and traits.supports_short_context
        self.decodes_finals_anew = self._short_partials and not self._short_finals

    def positions(self, length_s: float, *, is_final: bool) -> int:
        """Return how many of the encoder's positions to compute for a window."""
        if not (self._short_finals if is_final else self._short_partials):
            return ALL_POSITIONS
        wanted = math.ceil(length_s * POSITIONS_PER_S) + SPARE_POSITIONS
        return min(ALL_POSITIONS, max(wanted, self._min_positions))


def most_tokens(length_s: float) -> int:
    """Return the maximum number of tokens of a window's text.

    >>> most_tokens(2.0)
    20
    """
    return math.ceil(length_s * TOKENS_PER_S) + 4
