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
from harness.errors import DataFileError
from harness.support.data_file import reason
from harness.text_normalizer import tokens
from harness.timeline.corpus import CorpusUtterance


class ManifestEntry(msgspec.Struct, frozen=True):
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
        # Some editors put a mark at the beginning. Lines end at a line feed and nowhere else, for
        # JSON allows the other characters that Python takes for a line's end.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        allowed = "a manifest in UTF-8, one JSON object a line"
        raise DataFileError(str(path), reason(error), allowed) from error
    folder = _Folder(path.resolve().parent)
    utterances: dict[str, tuple[int, CorpusUtterance]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            utterance = _utterance(line, folder, f"{path}, line {number}")
            before = utterances.setdefault(utterance.utterance_id, (number, utterance))
            if before[0] != number:
                raise DataFileError(
                    f"{path}, line {number}",
                    f"{utterance.utterance_id} is the utterance of line {before[0]}",
                    "another file, or another offset",
                )
    if not utterances:
        raise DataFileError(str(path), "holds no utterance", "one JSON object a line")
    return [utterance for _, utterance in utterances.values()]


class _Folder:
    """Finds sound files in a manifest's folder; keeps what it found, as lines often share files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parents: dict[Path, Path] = {}
        self._files: dict[str, Path] = {}

    def find(self, name: str, where: str) -> Path:
        """Find a file by its name; a manifest from elsewhere must not reach for other files."""
        if name not in self._files:
            given = f"audio_filepath {name!r:.300}"
            try:
                path = self._resolved(name)
                is_file = path.is_file()
            except (OSError, ValueError, RuntimeError) as error:  # too long, or links in a circle
                problem = f"{given}: {reason(error)}"
                raise DataFileError(where, problem, "a file that exists") from error
            if Path(name).is_absolute() or not path.is_relative_to(self.path):
                allowed = "a path relative to the manifest and inside its folder"
                raise DataFileError(where, given, allowed)
            if not is_file:
                raise DataFileError(where, f"{given}: no such file", "a file that exists")
            self._files[name] = path
        return self._files[name]

    def _resolved(self, name: str) -> Path:
        path = self.path / name
        if path.parent not in self._parents:
            self._parents[path.parent] = path.parent.resolve()
        path = self._parents[path.parent] / path.name
        return path.resolve() if path.is_symlink() or path.name == ".." else path


def _utterance(text: str, folder: _Folder, where: str) -> CorpusUtterance:
    try:
        line = msgspec.json.decode(text, type=ManifestEntry)
    except (msgspec.MsgspecError, ValueError) as error:
        allowed = "a JSON object with audio_filepath, duration and text; see docs/own-corpus.md"
        raise DataFileError(where, str(error), allowed) from error
    path = folder.find(line.audio_filepath, where)
    return CorpusUtterance(
        utterance_id=f"{path.relative_to(folder.path).with_suffix('')}@{line.offset:.10g}",
        text=line.text,
        duration_s=line.duration,
        words=_words(line, where),
        read=partial(read_audio, path, line.offset, line.duration),
    )


def _words(line: ManifestEntry, where: str) -> tuple[Word, ...] | None:
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
    timed = [token for word, _, _ in line.words for token in tokens(word)]
    if timed != tokens(line.text):
        raise DataFileError(
            where, f"words say {' '.join(timed)!r:.200}", f"text: {line.text!r:.200}"
        )
    return tuple(Word(*word) for word in line.words)
