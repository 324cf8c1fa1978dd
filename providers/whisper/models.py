"""Properties of the Whisper model families, and the repositories of the distilled models."""

from dataclasses import dataclass

from harness.errors import ModelError
from providers.models.hub import EMBEDDED


@dataclass(frozen=True)
class Traits:
    """Properties of a family of models."""

    longest_s: float
    """Maximum length of a window; also limits how long captions wait for a final."""
    supports_short_context: bool = False
    """Whether it was trained without padding to 30 s."""
    min_positions: int = 256
    """Minimum positions of the encoder in a short context; 50 of them are a second."""
    english_only: bool = False
    stamps_words: bool = False
    """Whether it was trained so that a word's likeliest time stamp is its beginning."""


@dataclass(frozen=True)
class Distilled:
    """Where a Distil-Whisper model is on the Hugging Face hub."""

    ct2_repository: str
    ggml_repository: str
    ggml_file: str


DISTILLED = {
    "distil-small.en": Distilled(
        "Systran/faster-distil-whisper-small.en",
        "distil-whisper/distil-small.en",
        "ggml-distil-small.en.bin",
    ),
    "distil-medium.en": Distilled(
        "Systran/faster-distil-whisper-medium.en",
        "distil-whisper/distil-medium.en",
        "ggml-medium-32-2.en.bin",
    ),
    "distil-large-v2": Distilled(
        "Systran/faster-distil-whisper-large-v2",
        "distil-whisper/distil-large-v2",
        "ggml-large-32-2.en.bin",
    ),
    "distil-large-v3": Distilled(
        "Systran/faster-distil-whisper-large-v3",
        "distil-whisper/distil-large-v3-ggml",
        "ggml-distil-large-v3.bin",
    ),
    "distil-large-v3.5": Distilled(
        "distil-whisper/distil-large-v3.5-ct2",
        "distil-whisper/distil-large-v3.5-ggml",
        "ggml-model.bin",
    ),
}
"""All are English only, including the large ones, although their vocabulary is multilingual."""

_OWN = Traits(
    longest_s=8.0,
    supports_short_context=True,
    min_positions=0,
    english_only=True,
    stamps_words=True,
)
_DISTILLED = Traits(longest_s=15.0, english_only=True)
"""The first ones are unreliable in longer windows (whisper.cpp, pull request 1982)."""
_ENGLISH, _OTHER = Traits(longest_s=15.0, english_only=True), Traits(longest_s=15.0)


def traits_of(model: str, language: str) -> Traits:
    """Return a model's properties by its name; a path counts as an ordinary model.

    Raises:
        ModelError: It doesn't support the language.

    >>> traits_of("base.en", "en").english_only, traits_of("base", "de").english_only
    (True, False)
    """
    if model == EMBEDDED:
        traits = _OWN
    elif model in DISTILLED:
        traits = _DISTILLED
    else:
        traits = _ENGLISH if ".en" in model.rpartition("/")[2] else _OTHER
    if traits.english_only and language != "en":
        raise ModelError(model, f"does not know the language {language!r}", "en")
    return traits
