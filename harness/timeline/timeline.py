"""Builds the samples that each source of a trial plays, and their ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from harness.audio import FULL_SCALE, SAMPLE_RATE_HZ, Pcm16, Samples
from harness.contract import AudioSource
from harness.journal.events import Utterance
from harness.specs.scenario import Scenario, SourceScript
from harness.timeline.ambience import ambient, mix_into
from harness.timeline.beep import BEEP_S, GAP_S, beep
from harness.timeline.corpus import CorpusUtterance
from harness.timeline.placement import Placed, lay_out


@dataclass(frozen=True)
class Track:
    """The audio that one source plays, its start on the trial's clock, and its ground truth."""

    source: AudioSource
    start_s: float
    audio: Pcm16
    truth: tuple[Utterance, ...]
    rate_hz: float = SAMPLE_RATE_HZ
    """Samples that it plays per second of the trial's clock."""


def build_timeline(
    scenario: Scenario, utterances: Sequence[CorpusUtterance], seed: int
) -> list[Track]:
    """Fill a scenario's sources with utterances; the same seed gives the same samples.

    Raises:
        UsageError: Not even one utterance fits into the scenario.
        AudioError: An utterance can't be read.
    """
    places = lay_out(scenario, utterances, seed)
    return [
        _track(scenario, script, places[script.name], np.random.default_rng([seed, 2000 + index]))
        for index, script in enumerate(scenario.sources)
    ]


def _track(
    scenario: Scenario,
    script: SourceScript,
    places: Sequence[Placed],
    generator: np.random.Generator,
) -> Track:
    length = round(scenario.duration_s * script.rate_hz)
    level = FULL_SCALE * 10 ** (scenario.noise_dbfs / 20)
    audio = level * generator.standard_normal(length, dtype=np.float32)
    audio += ambient(script.ambience, length, generator)
    truth = []
    for place in places:
        beep_sample = None
        if scenario.markers:
            beep_s = place.at_s + script.offset_s - GAP_S - BEEP_S
            beep_sample = round(beep_s * script.rate_hz)
            mix_into(audio, beep_sample, _at_rate(beep(), script))
        begin = round((place.at_s + script.offset_s) * script.rate_hz)
        pcm = place.utterance.read().astype(np.float32)
        mix_into(audio, begin, _at_rate(pcm, script))
        # A manifest may promise some tenths more than the file holds.
        length_s = min(place.utterance.duration_s, len(pcm) / SAMPLE_RATE_HZ)
        truth.append(_utterance(place, script.name, begin / script.rate_hz, length_s, beep_sample))
    rounded = np.clip(np.rint(audio), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return Track(script.name, script.start_s, rounded, tuple(truth), script.rate_hz)


def _at_rate(samples: Samples, script: SourceScript) -> Samples:
    """Resample to the source's true rate."""
    if not script.skew_ppm:
        return samples
    resampled: Samples = soxr.resample(samples, SAMPLE_RATE_HZ, script.rate_hz)
    return resampled


def _utterance(
    place: Placed, source: AudioSource, begin_s: float, length_s: float, beep_sample: int | None
) -> Utterance:
    words = place.utterance.words
    if words is not None:
        words = tuple(word.shifted(begin_s) for word in words)
    return Utterance(
        source=source,
        utterance_id=place.utterance.utterance_id,
        t0=begin_s,
        t1=begin_s + length_s,
        text=place.utterance.text,
        words=words,
        shared=place.shared,
        beep_sample=beep_sample,
    )
