"""Who says what, and when: a scenario's scripts filled with a corpus' utterances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from harness.errors import UsageError
from harness.specs.scenario import Scenario, SourceScript
from harness.timeline.beep import BEEP_S, GAP_S
from harness.timeline.corpus import CorpusUtterance

AROUND_COMMON_S = 0.8
"""Silence before and after what all sources hear: each must hear it as an utterance of its own, or
their times would differ by what else stands in the same segment."""
SLACK_S = 0.001
"""What is read from a file may be some samples longer than its manifest says."""


@dataclass(frozen=True)
class Placed:
    """An utterance and the moment at which it begins, in seconds since the source's start."""

    utterance: CorpusUtterance
    at_s: float
    shared: int | None = None
    """Its number among the utterances that all sources hear at the same moment."""

    @property
    def end_s(self) -> float:
        """The moment at which it is over."""
        return self.at_s + self.utterance.duration_s


def require_room(scenario: Scenario, utterances: Sequence[CorpusUtterance]) -> None:
    """Make sure that every source has room for an utterance, without reading any.

    Raises:
        UsageError: One hasn't, or can't hold as much speech as its script asks for.
    """
    lengths_s = [utterance.duration_s for utterance in utterances]
    for script in scenario.sources:
        least_s = script.lead_in_s + _before_words_s(scenario) + min(lengths_s)
        if least_s > scenario.duration_s:
            raise no_room(scenario, script, least_s)
        mean_s = sum(lengths_s) / len(lengths_s)
        most = mean_s / (mean_s + _before_words_s(scenario) + script.gap_s[0])
        share = script.speech_share
        if share is not None and share > most:
            raise UsageError(
                f"scenario {scenario.name}, source {script.name}",
                f"speech_share {share:g} with pauses of {script.gap_s[0]:g} s or more",
                f"at most {most:.2f} with this corpus",
            )


def no_room(scenario: Scenario, script: SourceScript, least_s: float) -> UsageError:
    """The error for a scenario that is too short to say anything."""
    return UsageError(
        f"scenario {scenario.name}, source {script.name}",
        f"{scenario.duration_s:g} s hold no whole utterance of the corpus",
        f"at least {least_s:.1f} s",
    )


def lay_out(
    scenario: Scenario, utterances: Sequence[CorpusUtterance], seed: int
) -> dict[str, list[Placed]]:
    """Place utterances on every source; the same seed gives the same places.

    Every utterance of the corpus is used before any comes again, in a new order each time round.

    Returns:
        For each source, what is said in order of time.

    Raises:
        UsageError: A source has no room for a single utterance.
    """
    common = list(_common(scenario, utterances, np.random.default_rng([seed, 1000])))
    return {
        script.name: _source(scenario, script, utterances, common, [seed, index])
        for index, script in enumerate(scenario.sources)
    }


def _common(
    scenario: Scenario, utterances: Sequence[CorpusUtterance], generator: np.random.Generator
) -> Iterator[Placed]:
    """What all hear, on the trial's clock: about every `shared_utterance_every_s`."""
    if scenario.shared_utterance_every_s is None:
        return
    latest_start_s = max(script.start_s for script in scenario.sources)
    at_s = latest_start_s + max(script.lead_in_s for script in scenario.sources)
    for number, utterance in zip(count(), _endless(utterances, generator), strict=False):
        if at_s + utterance.duration_s + SLACK_S > scenario.duration_s:
            return
        yield Placed(utterance, at_s, number)
        at_s += max(
            utterance.duration_s + AROUND_COMMON_S,
            scenario.shared_utterance_every_s * generator.uniform(0.8, 1.2),
        )


def _source(
    scenario: Scenario,
    script: SourceScript,
    utterances: Sequence[CorpusUtterance],
    common: Sequence[Placed],
    seed: Sequence[int],
) -> list[Placed]:
    generator = np.random.default_rng(seed)
    waiting = [Placed(each.utterance, each.at_s - script.start_s, each.shared) for each in common]
    placed: list[Placed] = []
    before_s = _before_words_s(scenario)
    at_s, spoken_s, passed_over = script.lead_in_s, 0.0, 0
    for utterance in _endless(utterances, generator):
        here = Placed(utterance, at_s + before_s)
        next_s = waiting[0].at_s - AROUND_COMMON_S if waiting else scenario.duration_s
        if here.end_s + SLACK_S > next_s:
            passed_over += 1
            if passed_over < len(utterances):
                continue  # a shorter one may fit
            if not waiting:
                break
            here = waiting.pop(0)
        passed_over = 0
        placed.append(here)
        spoken_s += here.utterance.duration_s
        pause_s = _pause_s(script, here.end_s, spoken_s, generator)
        at_s = here.end_s + (pause_s if here.shared is None else max(pause_s, AROUND_COMMON_S))
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
