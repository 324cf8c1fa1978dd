"""Normalises text for all scoring; every report names its version.

Case, punctuation, Unicode form and tags such as [laughter] or <noise> are removed; apostrophes
inside words stay, hyphens split words. Numbers and spellings are left as they are: rewriting "one
two three" as "123" would hide how many of the three words were lost.
"""

import re
import unicodedata
from typing import Final

VERSION: Final = "echobench-1"

CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
_TAG = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
_APOSTROPHES = re.compile("'{2,}")


class _Kept(dict[int, int]):
    """Maps a code point to itself if it is part of a word, else to a space; filled on demand."""

    def __missing__(self, code: int) -> int:
        # Marks are part of a word: vowels in Hindi and Thai, diacritics elsewhere.
        kept = chr(code) == "'" or unicodedata.category(chr(code))[0] in "LMN"
        self[code] = code if kept else ord(" ")
        return self[code]


_KEPT = _Kept()


def tokens(text: str) -> list[str]:
    """Normalise text and split it into words.

    >>> tokens("“Don\u2019t OPEN the well-known door, [laughs] please!”")
    ["don't", 'open', 'the', 'well', 'known', 'door', 'please']
    >>> tokens(" ... ")
    []
    """
    untagged = _TAG.sub(" ", text) if "<" in text or "[" in text else text
    plain = unicodedata.normalize("NFKC", untagged).casefold().replace(CURLY, "'")
    words = unicodedata.normalize("NFKC", plain).translate(_KEPT)
    if "'" not in words:
        return words.split()
    parts = _APOSTROPHES.sub(" ", words).split()
    return [word for part in parts if (word := part.strip("'"))]
