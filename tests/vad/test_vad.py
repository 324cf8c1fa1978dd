"""The filter before the queue: every sample in one stretch, no word lost, silence left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.audio import FULL_SCALE, SAMPLE_RATE_HZ, Pcm16, Samples
from harness.errors import UnknownNameError
from harness.provider.registry import find_corpus
from harness.specs.scenario import Ambience
from harness.timeline.ambience import ambient
from harness.vad import Gate, GateSettings, PreFilter, make_detector
from harness.vad.detector import WINDOW, Silero
from harness.vad.gate import let_through
from harness.vad.prefilter import Stretch


class Told:
    """Gives the probabilities that it was told, one for each window."""

    def __init__(self, probabilities: list[float]) -> None:
        self._left = list(probabilities)

    def probabilities(self, samples: Samples) -> list[float]:
        count = len(samples) // WINDOW
        taken, self._left = self._left[:count], self._left[count:]
        return taken


def filtered(prefilter: PreFilter, pcm: Pcm16, sizes: list[int]) -> list[Stretch]:
    """Push audio in pieces whose sizes go round, and finish."""
    stretches: list[Stretch] = []
    at = turn = 0
    while at < len(pcm):
        size = sizes[turn % len(sizes)]
        stretches += prefilter.push(pcm[at : at + size])
        at, turn = at + size, turn + 1
    return [*stretches, *prefilter.finish()]


probabilities = st.lists(st.sampled_from([0.05, 0.4, 0.9]), max_size=120)
gates = st.builds(
    GateSettings, onset=st.integers(1, 3), before=st.integers(0, 12), after=st.integers(1, 16)
)


@given(probabilities, gates, st.lists(st.integers(1, 3000), min_size=1, max_size=4),
       st.integers(0, WINDOW - 1))  # fmt: skip
def test_every_sample_is_in_exactly_one_stretch_and_the_gate_decides(
    told: list[float], gate: GateSettings, sizes: list[int], rest: int
) -> None:
    pcm = np.arange(len(told) * WINDOW + rest, dtype=np.int64).astype(np.int16)
    stretches = filtered(PreFilter(Told(told), gate), pcm, sizes)
    assert all(len(stretch.pcm) for stretch in stretches)
    assert np.array_equal(np.concatenate([s.pcm for s in stretches] or [pcm[:0]]), pcm)
    at = 0
    passed = np.zeros(len(pcm), bool)
    for stretch in stretches:
        assert stretch.first_sample == at
        at += len(stretch.pcm)
        passed[stretch.first_sample : at] = stretch.is_speech
    expected = np.repeat(let_through(told, gate), WINDOW)
    assert np.array_equal(passed[: len(expected)], expected)


@given(probabilities, gates)
def test_a_closed_gate_has_seen_silence_for_as_long_as_it_waits(
    told: list[float], gate: GateSettings
) -> None:
    """And what opened it is let through with its run-up."""
    passed = let_through(told, gate)
    likely = [probability >= gate.opens_at for probability in told]
    for at in range(len(told)):
        if all(likely[max(0, at - gate.onset + 1) : at + 1]) and at + 1 >= gate.onset:
            begin = max(0, at - gate.onset + 1 - gate.before)
            assert all(passed[begin : at + 1])


def test_a_bypassed_filter_lets_everything_through_unjudged() -> None:
    prefilter = PreFilter(Told([]))
    prefilter.bypassed = True
    stretches = filtered(prefilter, np.zeros(5000, np.int16), [700])
    assert all(stretch.is_speech for stretch in stretches)
    assert sum(len(stretch.pcm) for stretch in stretches) == 5000
    assert prefilter.cpu_s == 0


def speech(seconds: float) -> Pcm16:
    parts = [entry.read() for entry in find_corpus("embedded")[:12]]
    return np.concatenate(parts)[: round(seconds * SAMPLE_RATE_HZ)]


def test_memory_makes_windows_one_by_one_and_all_at_once_the_same() -> None:
    samples = speech(4.0)[: 120 * WINDOW].astype(np.float32) / np.float32(FULL_SCALE)
    at_once, by_and_by = Silero(), Silero()
    whole = at_once.probabilities(samples)
    parts = [by_and_by.probabilities(samples[at : at + 3 * WINDOW])
             for at in range(0, len(samples), 3 * WINDOW)]  # fmt: skip
    assert np.concatenate(parts) == pytest.approx(whole, abs=1e-6)
    assert by_and_by.probabilities(samples[:0]) == []


def test_voices_pass_and_rooms_do_not() -> None:
    """Ten seconds of a room, an utterance, ten seconds of the room again."""
    room = ambient(tuple(Ambience), 24 * SAMPLE_RATE_HZ, np.random.default_rng(3))
    begin = 10 * SAMPLE_RATE_HZ
    spoken = speech(3.0)
    room[begin : begin + len(spoken)] += spoken
    stretches = filtered(PreFilter(make_detector()), room.astype(np.int16), [1600])
    passed = np.zeros(len(room), bool)
    for stretch in stretches:
        passed[stretch.first_sample :][: len(stretch.pcm)] = stretch.is_speech
    assert passed[begin : begin + len(spoken)].mean() > 0.98
    outside = np.concatenate([passed[: begin - SAMPLE_RATE_HZ],
                              passed[begin + len(spoken) + SAMPLE_RATE_HZ :]])  # fmt: skip
    assert outside.mean() < 0.2


def test_the_gate_closes_once_and_says_so() -> None:
    gate = Gate(GateSettings(onset=1, before=0, after=2))
    moves = [gate.decide(probability) for probability in (0.9, 0.1, 0.1, 0.1)]
    assert moves == ["open", "pass", "close", "keep"]


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'silero'"):
        make_detector("silera")
