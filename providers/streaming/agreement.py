"""LocalAgreement-2: words on which two successive decodes agree count as stable.

Source: Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by
Partial Hypothesis Selection", as used for Whisper by Macháček et al. 2023 (arXiv 2307.14743).
"""

import unicodedata
from collections.abc import Sequence


def spoken_form(text: str) -> str:
    """Return a word without case and punctuation, which differ between decodes.

    >>> spoken_form(" Door,"), spoken_form("don't")
    ('door', 'dont')
    """
    return "".join(letter for letter in text.casefold() if unicodedata.category(letter)[0] in "LNM")


def agreed(before: Sequence[str], now: Sequence[str]) -> int:
    """Count the leading words that two hypotheses of the same segment share.

    >>> agreed(["open", "thee"], ["Open,", "the"])
    1
    """
    count = 0
    for old, new in zip(before, now, strict=False):
        if spoken_form(old) != spoken_form(new):
            break
        count += 1
    return count
