"""The times of an utterance's words: from its line, or from a CTM or TextGrid file."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path

from corpora.formats.ctm import read_ctm
from corpora.formats.manifest import ManifestEntry
from corpora.formats.textgrid import read_textgrid
from corpora.recordings.files import Files
from harness.contract import Word
from harness.errors import DataFileError
from harness.text_normalizer import tokens

SLACK_S = 0.1
"""By how much a word may end after its utterance: aligners round up to whole frames."""
SILENCES = {"sil", "sp", "spn"}
"""What aligners write for silence and noise, where the text doesn't hold such a word."""
_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
                       "\U00020000-\U0003ffff]")  # fmt: skip
"""Scripts without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese."""


def is_unspaced(text: str) -> bool:
    """Tell a text in a script without spaces between words.

    >>> is_unspaced("世界"), is_unspaced("Grüße")
    (True, False)
    """
    return _UNSPACED.search(text) is not None


def say_the_same(words: Sequence[Word], text: str) -> bool:
    """Whether timed words are those of a text; where it has no spaces, they may cut it anywhere.

    >>> say_the_same([Word("Well", 0, 1), Word("known", 1, 2)], "well-known!")
    True
    >>> say_the_same([Word("世界", 0, 1), Word("你好", 1, 2)], "世界你好")
    True
    """
    timed, written = [token for word in words for token in tokens(word.text)], tokens(text)
    return timed == written or (is_unspaced(text) and "".join(timed) == "".join(written))


class WordTimes:
    """Finds the words of utterances; reads each CTM or TextGrid file once."""

    def __init__(self, manifest: Path, files: Files) -> None:
        self._manifest, self._files = manifest, files
        self._read: dict[Path, dict[str, list[Word]] | DataFileError] = {}

    def of(self, entry: ManifestEntry, audio: Path) -> tuple[Word, ...] | None:
        """The words of an utterance; None where nothing has their times.

        Raises:
            DataFileError: Its `words` are out of order, lie outside it, or don't say its text.
            UnfitAlignmentError: A CTM or TextGrid file is no good for it.
        """
        if entry.words is not None:
            return _inline(entry)
        path = self._alignment(entry, audio)
        if path is None:
            return None
        names = [audio.stem, audio.name]
        try:
            by_name = self._words_in(path)
        except DataFileError as error:
            raise UnfitAlignmentError(error.where, error.problem, error.allowed) from error
        said = next((by_name[name] for name in names if name in by_name), None)
        if said is None and len(by_name) == 1 and path.stem != self._manifest.stem:
            (said,) = by_name.values()
        words = _between(said or [], entry, set(tokens(entry.text)))
        if not say_the_same(words, entry.text):
            says = f"{path.name} says {' '.join(word.text for word in words)!r:.200} there"
            raise UnfitAlignmentError(
                "", f"{says}, not {entry.text!r:.200}", "an alignment of `text`"
            )
        return words

    def _alignment(self, entry: ManifestEntry, audio: Path) -> Path | None:
        for field in ("ctm", "words_level_ctm_filepath", "textgrid"):
            if name := getattr(entry, field):
                return self._files.find(name, field)
        whole = self._manifest.with_suffix(".ctm")
        beside = (self._files.beside(audio, suffix) for suffix in (".ctm", ".textgrid"))
        return next(filter(None, beside), None) or (self._files.beside(whole, ".ctm"))

    def _words_in(self, path: Path) -> dict[str, list[Word]]:
        if path not in self._read:
            try:
                is_textgrid = path.suffix.lower() == ".textgrid"
                self._read[path] = {"": read_textgrid(path)} if is_textgrid else read_ctm(path)
            except DataFileError as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, DataFileError):
            raise found
        return found


class UnfitAlignmentError(DataFileError):
    """An alignment that can't be used: the utterance is left without word times.

    It isn't refused, as `words` that don't say the text are, for a CTM file beside a recording may
    well be a recogniser's output.
    """


def _inline(entry: ManifestEntry) -> tuple[Word, ...]:
    before_s = 0.0
    for word, start_s, end_s in entry.words or ():
        if not before_s <= start_s <= end_s <= entry.duration + SLACK_S:
            raise DataFileError(
                "",
                f"word {word!r} from {start_s} to {end_s} s after one at {before_s} s",
                f"words in order, inside the utterance's {entry.duration} s",
            )
        before_s = start_s
    words = tuple(Word(*word) for word in entry.words or ())
    if not say_the_same(words, entry.text):
        said = " ".join(token for word in words for token in tokens(word.text))
        raise DataFileError("", f"words say {said!r:.200}", f"text: {entry.text!r:.200}")
    return words


def _between(said: list[Word], entry: ManifestEntry, written: set[str]) -> tuple[Word, ...]:
    """The words whose middle is in the utterance, with times from its beginning on."""
    # Starts are in order and middles nearly so: take what may be meant, then look closely.
    begin_s, end_s = entry.offset_s, entry.offset_s + entry.duration
    longest_s = max((word.t1 - word.t0 for word in said), default=0.0)
    first = bisect_left(said, begin_s - longest_s, key=lambda word: word.t0)
    last = bisect_right(said, end_s, key=lambda word: word.t0)
    return tuple(
        Word(word.text, max(word.t0, begin_s) - begin_s, min(word.t1, end_s) - begin_s)
        for word in said[first:last]
        if begin_s <= (word.t0 + word.t1) / 2 < end_s and _is_word(word.text, written)
    )


def _is_word(text: str, written: set[str]) -> bool:
    said = tokens(text)
    return bool(said) and (said[0] not in SILENCES or said[0] in written)
