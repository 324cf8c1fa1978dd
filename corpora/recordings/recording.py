"""One line of a manifest whose file was found, or a piece of it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile

from corpora.recordings.conversion import describe_unreadable
from corpora.recordings.levels import Signal, measure
from harness.audio import read_audio
from harness.contract import Word
from harness.errors import AudioError
from harness.timeline.corpus import CorpusUtterance

DURATION_SLACK_S = 0.3
"""By how much a line's end may lie behind the file's: some tools round, others leave out a codec's
padding. What isn't there isn't played."""


@dataclass(frozen=True)
class Recording:
    """What is said in a stretch of a sound file."""

    line: int
    name: str
    """As the manifest gives it."""
    path: Path
    offset_s: float
    duration_s: float
    text: str
    words: tuple[Word, ...] | None
    """Times are seconds since the stretch's beginning; None when unknown."""
    language: str | None

    @property
    def end_s(self) -> float:
        """Where it ends in the file."""
        return self.offset_s + self.duration_s

    def signal(self) -> Signal:
        """Measure its samples.

        Raises:
            AudioError: They can't be read.
        """
        try:
            with soundfile.SoundFile(self.path) as file:
                first = round(min(self.offset_s * file.samplerate, file.frames))
                return measure(file, first, round(self.duration_s * file.samplerate))
        except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
            raise AudioError(str(self.path), *describe_unreadable(self.path, str(error))) from error

    def utterance(self, utterance_id: str) -> CorpusUtterance:
        """What a trial can play."""
        return CorpusUtterance(
            utterance_id=utterance_id,
            text=self.text,
            duration_s=self.duration_s,
            words=self.words,
            read=partial(
                read_audio, self.path, self.offset_s, self.duration_s, slack_s=DURATION_SLACK_S
            ),
            language=self.language,
        )
