"""Word times from whisper.cpp for models that it lets write no time stamps.

It takes a model with two decoder layers for one of the first distilled ones, which lose their way
when they write time stamps, and forbids them. A segment's beginning is then nonsense. What tells
when a word was said is where the decoder looked for it, which whisper.cpp follows by dynamic time
warping (DTW).
"""

from collections.abc import Iterable
from typing import Any

from harness.contract import Word

DISTILLED_LAYERS = 2
VOCABULARY_OF_V3 = 51_866
"""Models made from large-v3 have learnt time stamps again, and whisper.cpp knows."""
TOP_LAYERS = 1
"""Whose heads are followed. Of two layers, only the upper one looks where the word is."""


def knows_timestamps(header: dict[str, int]) -> bool:
    """Tell by a model file's header whether whisper.cpp lets the model write time stamps.

    >>> knows_timestamps({"n_text_layer": 2, "n_vocab": 51_864})
    False
    """
    return header["n_text_layer"] != DISTILLED_LAYERS or header["n_vocab"] == VOCABULARY_OF_V3


def alignment() -> dict[str, Any]:
    """Parameters for a context that follows where the decoder looks."""
    import _pywhispercpp as binding

    return {
        "flash_attn": False,  # it doesn't keep what is to be followed
        "dtw_token_timestamps": True,
        "dtw_aheads_preset": binding.WHISPER_AHEADS_N_TOP_MOST,
        "dtw_n_top": TOP_LAYERS,
    }


def aligned_words(model: Any) -> list[Word]:
    """Read the words of a model's last decode; in seconds from its beginning."""
    import _pywhispercpp as binding

    context = model._ctx  # no public way leads to the tokens
    tokens = [
        binding.whisper_full_get_token_data(context, segment, index)
        for segment in range(binding.whisper_full_n_segments(context))
        for index in range(binding.whisper_full_n_tokens(context, segment))
    ]
    end_of_text = binding.whisper_token_eot(context)
    return joined(
        (binding.whisper_token_to_bytes(context, token.id), token.t_dtw / 100)
        for token in tokens
        if token.id < end_of_text
    )


def joined(tokens: Iterable[tuple[bytes, float]]) -> list[Word]:
    r"""Make words of tokens, each with the moment at which the decoder moved on from it.

    A blank begins a word, and each word where the one before has ended.

    >>> joined([(b" d", 0.4), (b"oor", 0.7), (b" caf", 1.0), (b"\xc3", 1.1), (b"\xa9", 1.2)])
    [Word(text='door', t0=0.0, t1=0.7), Word(text='café', t0=0.7, t1=1.2)]
    """
    letters: list[bytes] = []
    ends_s: list[float] = []
    for text, end_s in tokens:
        if text.startswith(b" ") or not letters:
            letters.append(b"")
            ends_s.append(end_s)
        letters[-1] += text
        ends_s[-1] = end_s
    begins_s = [0.0, *ends_s]
    texts = [word.decode(errors="replace").strip() for word in letters]
    return [
        Word(text, begin_s, end_s)
        for text, begin_s, end_s in zip(texts, begins_s, ends_s, strict=False)
        if text
    ]
