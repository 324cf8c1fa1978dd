"""LocalAgreement-2: the words on which two decodes in a row agree are taken for stable.

Source: Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by
Partial Hypothesis Selection", as used for Whisper by Macháček et al. 2023 (arXiv 2307.14743).
"""

import unicodedata
from collections.abc import Sequence

from harness.contract import Word


def spoken_form(text: str) -> str:
    """What is left of a word when case and punctuation, which flicker, are taken away.

    >>> spoken_form(" Door,"), spoken_form("don't")
    ('door', 'dont')
    """
    return "".join(letter for letter in text.casefold() if unicodedata.category(letter)[0] in "LNM")


def agreed(before: Sequence[Word], now: Sequence[Word]) -> int:
    """Count the leading words that two hypotheses of the same segment share.

    >>> agreed([Word("open", 0, 1), Word("thee", 1, 2)], [Word("Open,", 0, 1), Word("the", 1, 2)])
    1
    """
    count = 0
    for old, new in zip(before, now, strict=False):
        if spoken_form(old.text) != spoken_form(new.text):
            break
        count += 1
    return count
