"""Reads a manifest: finds files and word times, cuts long recordings, and lists what is wrong."""

from dataclasses import dataclass, field
from pathlib import Path

from corpora.formats.manifest import ManifestEntry, read_entries
from corpora.recordings.cutting import cut
from corpora.recordings.files import Files
from corpora.recordings.problem import Problem, listing
from corpora.recordings.recording import Recording
from corpora.recordings.word_times import UnfitAlignmentError, WordTimes
from harness.errors import AudioError, DataFileError
from harness.timeline.corpus import CorpusUtterance


@dataclass
class OwnCorpus:
    """What a manifest says."""

    path: Path
    recordings: list[Recording] = field(default_factory=list)
    """One per line that is as it must be."""
    utterances: list[CorpusUtterance] = field(default_factory=list)
    """What is played: the recordings, or the pieces of those that are long."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems with which it can't be measured on."""
        return [problem for problem in self.problems if not problem.is_warning]

    def refusal(self) -> DataFileError:
        """The first of the errors, and how many more there are."""
        first, *others = self.errors
        more = f" (and {len(others)} more errors)" if others else ""
        if first.line is None:
            return DataFileError(str(self.path), first.what + more, first.remedy)
        what = ": ".join(filter(None, [first.file, first.what]))
        return DataFileError(f"{self.path}, line {first.line}", what + more, first.remedy)

    @property
    def listing(self) -> str:
        """All problems, to be read; empty if there are none."""
        return listing(self.problems)


def read_manifest(path: Path) -> list[CorpusUtterance]:
    """Read a manifest; the audio is read later, when it is played.

    Raises:
        DataFileError: The manifest is missing or empty, or a line isn't as it must be.
    """
    corpus = read_corpus(path)
    if corpus.errors:
        raise corpus.refusal()
    return corpus.utterances


def read_corpus(path: Path) -> OwnCorpus:
    """Read a manifest with all problems that its lines have; reads no audio but to cut it.

    Raises:
        DataFileError: The manifest is missing, empty or not text.
    """
    corpus, files = OwnCorpus(path), Files(path.resolve().parent)
    word_times, ids = WordTimes(path.resolve(), files), _Ids()
    first_line: dict[tuple[object, ...], int] = {}
    for line, entry in read_entries(path):
        if isinstance(entry, DataFileError):
            corpus.problems.append(Problem.of(entry, line))
            continue
        try:
            recording, warnings = _recording(line, entry, files, word_times)
            pieces = cut(recording)
        except (DataFileError, AudioError) as error:
            what, remedy = error.problem, error.allowed or ""
            corpus.problems.append(Problem(line, entry.audio_filepath, what, remedy))
            continue
        same = (recording.path, recording.offset_s, recording.duration_s, recording.text)
        if (before := first_line.setdefault(same, line)) != line:
            what = f"is the utterance of line {before} once more"
            warnings.append(Problem(line, entry.audio_filepath, what, "one of them", True))
        corpus.problems += warnings
        corpus.recordings.append(recording)
        corpus.utterances += [piece.utterance(ids.of(files.name_of(piece.path), piece.offset_s))
                              for piece in pieces]  # fmt: skip
    return corpus


def _recording(
    line: int, entry: ManifestEntry, files: Files, word_times: WordTimes
) -> tuple[Recording, list[Problem]]:
    path = files.find(entry.audio_filepath, "audio_filepath")
    warnings = []
    try:
        words = word_times.of(entry, path)
    except UnfitAlignmentError as error:
        words = None
        what = f"no word times: {error.where and error.where + ': '}{error.problem}"
        warnings.append(Problem(line, entry.audio_filepath, what, error.allowed or "", True))
    recording = Recording(
        line=line,
        name=entry.audio_filepath,
        path=path,
        offset_s=entry.offset_s,
        duration_s=entry.duration,
        text=entry.text,
        words=words,
        language=entry.language or entry.lang,
    )
    return recording, warnings


class _Ids:
    """Makes names of utterances, each once: several may begin at one moment of one file."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def of(self, name: str, offset_s: float) -> str:
        """The file's name and the moment, and a number from the second on."""
        plain = f"{name}@{offset_s:.10g}"
        self._count[plain] = number = self._count.get(plain, 0) + 1
        return plain if number == 1 else f"{plain}#{number}"
