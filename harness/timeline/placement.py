"""Places utterances of a corpus on the time axes of a scenario's sources."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from harness.errors import UsageError
from harness.specs.scenario import Scenario, SourceScript
from harness.timeline.beep import BEEP_S, GAP_S
from harness.timeline.corpus import CorpusUtterance

AROUND_SHARED_S = 0.8
"""Silence before and after an utterance that all sources play. It has to be recognised as a segment
of its own: other words in the segment would make the sources' times differ."""
SLACK_S = 0.001
"""An audio file may be some samples longer than its manifest says."""


@dataclass(frozen=True)
class Placed:
    """An utterance and when it begins, in seconds since the source's start."""

    utterance: CorpusUtterance
    at_s: float
    shared: int | None = None
    """Its number among the utterances that all sources play at the same moment."""

    @property
    def end_s(self) -> float:
        """When it ends, in seconds since the source's start."""
        return self.at_s + self.utterance.duration_s


def require_room(scenario: Scenario, utterances: Sequence[CorpusUtterance]) -> None:
    """Check that an utterance fits on every source, without reading audio.

    Raises:
        UsageError: None fits on a source, or its script requires more speech than possible.
    """
    lengths_s = [utterance.duration_s for utterance in utterances]
    for script in scenario.sources:
        least_s = script.lead_in_s + _before_words_s(scenario) + min(lengths_s)
        if least_s > scenario.duration_s:
            raise no_room(scenario, script, least_s)
        mean_s = sum(lengths_s) / len(lengths_s)
        max_share = mean_s / (mean_s + _before_words_s(scenario) + script.gap_s[0])
        share = script.speech_share
        if share is not None and share > max_share:
            raise UsageError(
                f"scenario {scenario.name}, source {script.name}",
                f"speech_share {share:g} with pauses of {script.gap_s[0]:g} s or more",
                f"at most {max_share:.2f} with this corpus",
            )


def no_room(scenario: Scenario, script: SourceScript, least_s: float) -> UsageError:
    """Make the error for a scenario that is too short for any utterance."""
    return UsageError(
        f"scenario {scenario.name}, source {script.name}",
        f"{scenario.duration_s:g} s is too short for any utterance of the corpus",
        f"at least {least_s:.1f} s",
    )


def lay_out(
    scenario: Scenario, utterances: Sequence[CorpusUtterance], seed: int
) -> dict[str, list[Placed]]:
    """Place utterances on every source; the same seed gives the same places.

    Every utterance of the corpus is used before any is repeated, in a new order each time.

    Returns:
        For each source, its utterances in order of time.

    Raises:
        UsageError: No utterance fits on a source.
    """
    shared = list(_shared(scenario, utterances, np.random.default_rng([seed, 1000])))
    return {
        script.name: _source(scenario, script, utterances, shared, [seed, index])
        for index, script in enumerate(scenario.sources)
    }


def _shared(
    scenario: Scenario, utterances: Sequence[CorpusUtterance], generator: np.random.Generator
) -> Iterator[Placed]:
    """Place utterances on the trial's clock for all sources, every `shared_utterance_every_s`."""
    if scenario.shared_utterance_every_s is None:
        return
    latest_start_s = max(script.start_s for script in scenario.sources)
    at_s = latest_start_s + max(script.lead_in_s for script in scenario.sources)
    for number, utterance in zip(count(), _endless(utterances, generator), strict=False):
        if at_s + utterance.duration_s + SLACK_S > scenario.duration_s:
            return
        yield Placed(utterance, at_s, number)
        at_s += max(
            utterance.duration_s + AROUND_SHARED_S,
            scenario.shared_utterance_every_s * generator.uniform(0.8, 1.2),
        )


def _source(
    scenario: Scenario,
    script: SourceScript,
    utterances: Sequence[CorpusUtterance],
    shared: Sequence[Placed],
    seed: Sequence[int],
) -> list[Placed]:
    generator = np.random.default_rng(seed)
    waiting = [Placed(each.utterance, each.at_s - script.start_s, each.shared) for each in shared]
    placed: list[Placed] = []
    before_s = _before_words_s(scenario)
    at_s, spoken_s, skipped = script.lead_in_s, 0.0, 0
    for utterance in _endless(utterances, generator):
        here = Placed(utterance, at_s + before_s)
        next_s = waiting[0].at_s - AROUND_SHARED_S if waiting else scenario.duration_s
        if here.end_s + SLACK_S > next_s:
            skipped += 1
            if skipped < len(utterances):
                continue  # a shorter one may fit
            if not waiting:
                break
            here = waiting.pop(0)
        skipped = 0
        placed.append(here)
        spoken_s += here.utterance.duration_s
        pause_s = _pause_s(script, here.end_s, spoken_s, generator)
        at_s = here.end_s + (pause_s if here.shared is None else max(pause_s, AROUND_SHARED_S))
    if not placed:
        shortest_s = min(utterance.duration_s for utterance in utterances)
        raise no_room(scenario, script, script.lead_in_s + before_s + shortest_s)
    return placed


def _pause_s(
    script: SourceScript, now_s: float, spoken_s: float, generator: np.random.Generator
) -> float:
    pause_s = float(generator.uniform(*script.gap_s))
    if script.speech_share is None:
        return pause_s
    due_s = spoken_s / script.speech_share - now_s
    return max(pause_s, due_s * float(generator.uniform(0.7, 1.3)))


def _before_words_s(scenario: Scenario) -> float:
    return BEEP_S + GAP_S if scenario.markers else 0.0


def _endless(
    utterances: Sequence[CorpusUtterance], generator: np.random.Generator
) -> Iterator[CorpusUtterance]:
    while True:
        for index in generator.permutation(len(utterances)):
            yield utterances[index]
