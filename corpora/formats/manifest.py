"""Manifests: text files in UTF-8 with one JSON object per line, as NeMo's tools write them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.errors import DataFileError
from harness.support.data_file import reason

LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"
ALLOWED = "a JSON object with audio_filepath, duration and text; see docs/own-corpus.md"

Language = Annotated[str, Meta(pattern=LANGUAGE, description="en, pt-BR")]


class ManifestEntry(msgspec.Struct, frozen=True):
    """One line of a manifest; other fields are ignored."""

    audio_filepath: Annotated[str, Meta(min_length=1)]
    duration: Annotated[float, Meta(gt=0, le=14_400)]
    text: str
    offset: Annotated[float, Meta(ge=0)] | None = None
    words: list[tuple[str, float, float]] | None = None
    ctm: str | None = None
    words_level_ctm_filepath: str | None = None
    """What NeMo's forced aligner calls the same."""
    textgrid: str | None = None
    language: Language | None = None
    lang: Language | None = None
    """What NeMo's multilingual manifests call the same."""

    @property
    def offset_s(self) -> float:
        """Where the utterance begins in the file."""
        return self.offset or 0.0


def read_entries(path: Path) -> Iterator[tuple[int, ManifestEntry | DataFileError]]:
    """Read a manifest line by line.

    Yields:
        The number of each line that isn't blank, and what it says or what is wrong with it.

    Raises:
        DataFileError: The file can't be read, isn't UTF-8, or holds no line.
    """
    try:
        # Some editors put a mark at the beginning. Lines end at a line feed and nowhere else, for
        # JSON allows the other characters that Python takes for a line's end.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        allowed = "a manifest in UTF-8, one JSON object per line"
        raise DataFileError(str(path), reason(error), allowed) from error
    if not any(map(str.strip, lines)):
        raise DataFileError(str(path), "holds no utterance", "one JSON object per line")
    decode = msgspec.json.Decoder(ManifestEntry).decode
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, decode(line)
            except (msgspec.MsgspecError, ValueError) as error:
                yield number, DataFileError(f"{path}, line {number}", str(error), ALLOWED)
