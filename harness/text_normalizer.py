"""The one text normaliser that all scoring uses; its version stands in every report.

Case, punctuation, Unicode form and tags such as [laughter] or <noise> are taken away; apostrophes
inside words stay, hyphens part words. Numbers and spellings are left as they are: rewriting "one
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
    """By code point: the same where it is part of a word, else a space; filled as letters come."""

    def __missing__(self, code: int) -> int:
        # Marks are part of a word: vowels in Hindi and Thai, signs above letters everywhere.
        kept = chr(code) == "'" or unicodedata.category(chr(code))[0] in "LMN"
        self[code] = code if kept else ord(" ")
        return self[code]


_KEPT = _Kept()


def tokens(text: str) -> list[str]:
    """Split text into the words that are compared.

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
