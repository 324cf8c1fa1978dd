"""A corpus of the user's own: a manifest with one JSON object a line, as NeMo writes them.

Fields: `audio_filepath` (relative to the manifest, and inside its folder), `duration` (seconds),
`text`, and if the utterance doesn't begin where the file does, `offset` (seconds). Optional:
`words`, a list of [word, start_s, end_s] counted from the utterance's beginning. What else a line
holds is ignored.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.audio import read_audio
from harness.contract import Word
from harness.corpus import CorpusUtterance
from harness.errors import DataFileError


class Line(msgspec.Struct, frozen=True):
    """One line of a manifest."""

    audio_filepath: Annotated[str, Meta(min_length=1)]
    duration: Annotated[float, Meta(gt=0, le=14_400)]
    text: str
    offset: Annotated[float, Meta(ge=0)] = 0.0
    words: list[tuple[str, float, float]] | None = None


def read_manifest(path: Path) -> list[CorpusUtterance]:
    """Read a manifest; the audio is read later, when it is played.

    Raises:
        DataFileError: The manifest is missing or empty, or a line isn't as the module says.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(
            str(path), str(error), "a manifest in UTF-8, one JSON object a line"
        ) from error
    utterances = [
        _utterance(line, path, number) for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not utterances:
        raise DataFileError(str(path), "holds no utterance", "one JSON object a line")
    return utterances


def _utterance(text: str, manifest: Path, number: int) -> CorpusUtterance:
    where = f"{manifest}, line {number}"
    try:
        line = msgspec.json.decode(text, type=Line)
    except msgspec.MsgspecError as error:
        raise DataFileError(
            where, str(error), "an object as docs/own-corpus.md describes"
        ) from error
    return CorpusUtterance(
        utterance_id=f"{Path(line.audio_filepath).stem}@{line.offset:g}",
        text=line.text,
        duration_s=line.duration,
        words=_words(line, where),
        read=partial(
            read_audio, _inside(manifest, line.audio_filepath, where), line.offset, line.duration
        ),
    )


def _inside(manifest: Path, name: str, where: str) -> Path:
    """Resolve an audio file's name; a manifest from elsewhere must not reach for other files."""
    folder = manifest.resolve().parent
    path = (folder / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(folder):
        raise DataFileError(
            where,
            f"audio_filepath {name!r}",
            "a path relative to the manifest and inside its folder",
        )
    if not path.is_file():
        raise DataFileError(where, f"audio_filepath {name!r}: no such file", "a file that exists")
    return path


def _words(line: Line, where: str) -> tuple[Word, ...] | None:
    if line.words is None:
        return None
    before_s = 0.0
    for word, start_s, end_s in line.words:
        if not before_s <= start_s <= end_s <= line.duration + 0.1:
            raise DataFileError(
                where,
                f"word {word!r} from {start_s} to {end_s} s after one at {before_s} s",
                f"words in order, inside the utterance's {line.duration} s",
            )
        before_s = start_s
    return tuple(Word(*word) for word in line.words)
