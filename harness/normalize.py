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
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def tokens(text: str) -> list[str]:
    """Split text into the words that are compared.

    >>> tokens("“Don\u2019t OPEN the well-known door, [laughs] please!”")
    ["don't", 'open', 'the', 'well', 'known', 'door', 'please']
    >>> tokens(" ... ")
    []
    """
    plain = unicodedata.normalize("NFKC", _TAG.sub(" ", text)).casefold().replace(CURLY, "'")
    return _WORD.findall(plain)
