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


def tokens(text: str) -> list[str]:
    """Split text into the words that are compared.

    >>> tokens("“Don\u2019t OPEN the well-known door, [laughs] please!”")
    ["don't", 'open', 'the', 'well', 'known', 'door', 'please']
    >>> tokens(" ... ")
    []
    """
    plain = unicodedata.normalize("NFKC", _TAG.sub(" ", text)).casefold().replace(CURLY, "'")
    # Marks are part of a word: vowels in Hindi and Thai, signs above letters everywhere.
    words = "".join(
        letter if letter == "'" or unicodedata.category(letter)[0] in "LMN" else " "
        for letter in unicodedata.normalize("NFKC", plain)
    )
    parts = _APOSTROPHES.sub(" ", words).split()
    return [word for part in parts if (word := part.strip("'"))]
