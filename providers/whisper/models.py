"""Whisper models by family, as data: what each wants, and where the distilled ones are."""

from dataclasses import dataclass

from harness.errors import ModelError
from providers.models.hub import EMBEDDED


@dataclass(frozen=True)
class Traits:
    """What a family of models wants."""

    longest_s: float
    """The longest window to give it. Captions shouldn't wait longer than this for a final."""
    bears_short_context: bool = False
    """Whether it was trained to do without padding to 30 s."""
    fewest_positions: int = 256
    """Of the encoder, in a short context; 50 of them are a second."""
    english_only: bool = False
    stamps_words: bool = False
    """Whether it was trained to have each word's beginning as the likeliest stamp beside it."""


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
"""All know English only, the large ones too, although their vocabulary has other languages."""

_OWN = Traits(
    longest_s=8.0,
    bears_short_context=True,
    fewest_positions=0,
    english_only=True,
    stamps_words=True,
)
_DISTILLED = Traits(longest_s=15.0, english_only=True)
"""The first ones lose their way in windows longer than that (whisper.cpp, pull request 1982)."""
_ENGLISH, _OTHER = Traits(longest_s=15.0, english_only=True), Traits(longest_s=15.0)


def traits_of(model: str, language: str) -> Traits:
    """What a model wants, by its name; a path is taken for a model of no special family.

    Raises:
        ModelError: It doesn't know the language.

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
        raise ModelError(model, f"asked to hear the language {language!r}", "en, which it knows")
    return traits
