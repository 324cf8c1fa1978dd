"""What a trial plays and what is true about it: a scenario filled with a corpus' utterances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.audio import FULL_SCALE, SAMPLE_RATE_HZ, Pcm16
from harness.contract import AudioSource, Word
from harness.corpus import CorpusUtterance
from harness.errors import UsageError
from harness.events import Utterance
from harness.scenario import Scenario, SourceScript


@dataclass(frozen=True)
class Track:
    """What one source plays, and when it begins on the trial's clock."""

    source: AudioSource
    start_s: float
    audio: Pcm16
    truth: tuple[Utterance, ...]


def require_room(scenario: Scenario, utterances: Sequence[CorpusUtterance]) -> None:
    """Make sure that every source has room for an utterance, without reading any.

    Raises:
        UsageError: One hasn't.
    """
    shortest_s = min(utterance.duration_s for utterance in utterances)
    for script in scenario.sources:
        if script.lead_in_s + shortest_s > scenario.duration_s:
            raise _no_room(scenario, script, shortest_s)


def _no_room(scenario: Scenario, script: SourceScript, shortest_s: float) -> UsageError:
    return UsageError(
        f"scenario {scenario.name}, source {script.name}",
        f"{scenario.duration_s:g} s hold no whole utterance of the corpus",
        f"at least {script.lead_in_s + shortest_s:.1f} s",
    )


def build_timeline(
    scenario: Scenario, utterances: Sequence[CorpusUtterance], seed: int
) -> list[Track]:
    """Fill a scenario's sources with utterances; the same seed gives the same samples.

    Every utterance of the corpus is used before any comes again, in a new order each time round.

    Raises:
        UsageError: Not even one utterance fits into the scenario.
        AudioError: An utterance can't be read.
    """
    return [
        _track(scenario, script, utterances, np.random.default_rng([seed, index]))
        for index, script in enumerate(scenario.sources)
    ]


def _track(
    scenario: Scenario,
    script: SourceScript,
    utterances: Sequence[CorpusUtterance],
    generator: np.random.Generator,
) -> Track:
    length = round(scenario.duration_s * SAMPLE_RATE_HZ)
    level = FULL_SCALE * 10 ** (scenario.noise_dbfs / 20)
    audio = level * generator.standard_normal(length, dtype=np.float32)
    truth = []
    at = round(script.lead_in_s * SAMPLE_RATE_HZ)
    too_long = 0  # utterances in a row that don't fit any more
    for utterance in _endless(utterances, generator):
        if too_long == len(utterances):
            break
        fits = at + round(utterance.duration_s * SAMPLE_RATE_HZ) <= length
        pcm = utterance.read() if fits else None
        if pcm is None or at + len(pcm) > length:  # what was read may be a sample longer
            too_long += 1
            continue
        too_long = 0
        audio[at : at + len(pcm)] += pcm
        truth.append(_placed(utterance, script.name, at / SAMPLE_RATE_HZ, len(pcm)))
        at += len(pcm) + round(generator.uniform(*script.gap_s) * SAMPLE_RATE_HZ)
    if not truth:
        raise _no_room(scenario, script, min(utterance.duration_s for utterance in utterances))
    rounded = np.clip(np.rint(audio), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return Track(script.name, script.start_s, rounded, tuple(truth))


def _endless(
    utterances: Sequence[CorpusUtterance], generator: np.random.Generator
) -> Iterator[CorpusUtterance]:
    while True:
        for index in generator.permutation(len(utterances)):
            yield utterances[index]


def _placed(
    utterance: CorpusUtterance, source: AudioSource, offset_s: float, samples: int
) -> Utterance:
    words = utterance.words
    if words is not None:
        words = tuple(Word(word.text, offset_s + word.t0, offset_s + word.t1) for word in words)
    return Utterance(
        source=source,
        utterance_id=utterance.utterance_id,
        t0=offset_s,
        t1=offset_s + samples / SAMPLE_RATE_HZ,
        text=utterance.text,
        words=words,
    )
