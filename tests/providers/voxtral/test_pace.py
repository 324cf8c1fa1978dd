"""What voxtral.c does next is known from its symbols alone; the stand-in keeps its own books."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from providers.voxtral.answers import Answers, Step
from providers.voxtral.pace import FIRST_READ, READ, Pace
from tests.profiles import examples
from tests.providers.signals import samples_of, tone
from tests.stand_ins.voxtral_engine import Engine

INTERVALS_S = (0.1, 0.26, 0.3, 0.5, 1.0, 2.0)
LENGTHS_S = st.floats(0.02, 9.0)


class Rig:
    """The stand-in's engine, and the books that are kept on its symbols."""

    def __init__(self, interval_s: float, eos_after: int | None) -> None:
        self.symbols = ""
        self.engine = Engine(interval_s, eos_after, self._note, lambda tokens: None)
        self.answers = Answers("test", interval_s, lambda call: call(self))
        self.steps: list[Step] = []
        self.text = ""
        self._unread = bytearray()
        self._read = 0

    @property
    def pace(self) -> Pace:
        return self.answers.pace

    def feed(self, pcm: bytes) -> None:
        """As through a pipe: it is read in blocks, and what is no whole block stays in it."""
        with self.answers.lock:
            self.answers.fed(len(pcm), at_s=0.0)
        self._unread += pcm
        while len(self._unread) >= self._block():
            block = bytes(self._unread[: self._block()])
            del self._unread[: len(block)]
            self._read += len(block)
            pieces = self.engine.feed(block)
            self.answers.take(self.symbols.encode(), b"".join(pieces), at_s=0.0)
            self.symbols = ""

    def on_text(self, text: str, taken: int) -> None:
        assert taken <= self.pace.fed
        self.text += text

    def on_step(self, step: Step, taken: int) -> None:
        self.steps.append(step)

    def fail(self, error: Exception) -> None:
        raise error

    def _block(self) -> int:
        return (READ if self._read else FIRST_READ) * BYTES_PER_SAMPLE

    def _note(self, symbol: str) -> None:
        if symbol == "▶":
            assert self.pace.due_at() == self.engine.fed
        self.answers.take(symbol.encode(), b"", at_s=0.0)


def pcm_of(length_s: float, pitch_hz: float | None) -> bytes:
    length = samples_of(length_s)
    wave = np.zeros(length) if pitch_hz is None else tone(length, pitch_hz)
    return (wave * 32767).astype("<i2").tobytes()


pieces = st.lists(st.tuples(LENGTHS_S, st.sampled_from([None, None, 300.0, 900.0])), max_size=5)


@settings(max_examples=examples(25))
@given(st.sampled_from(INTERVALS_S), st.sampled_from([None, 0, 3, 12]), pieces)
def test_every_answer_is_expected_at_its_place(
    interval_s: float, eos_after: int | None, parts: list[tuple[float, float | None]]
) -> None:
    rig = Rig(interval_s, eos_after)
    for length_s, pitch_hz in parts:
        rig.feed(pcm_of(length_s, pitch_hz))
        assert rig.answers.are_complete
        assert rig.pace.taken <= rig.engine.fed
    assert sum(step.samples for step in rig.steps) == rig.pace.taken


@settings(max_examples=examples(25))
@given(st.sampled_from(INTERVALS_S), pieces, st.floats(0.0, 4.0))
def test_silence_can_be_measured_out_so_that_nothing_is_held_back(
    interval_s: float, parts: list[tuple[float, float | None]], least_s: float
) -> None:
    rig = Rig(interval_s, None)
    for length_s, pitch_hz in parts:
        rig.feed(pcm_of(length_s, pitch_hz))
    samples = rig.pace.missing(samples_of(least_s))
    assert samples >= samples_of(least_s)
    fed = rig.pace.fed
    for _ in range(2):  # a reset on the way changes the measure; not so the second time
        rig.feed(bytes(rig.pace.missing(1 if rig.pace.fed > fed else samples) * BYTES_PER_SAMPLE))
        if rig.pace.taken == rig.pace.fed:
            return
    assert rig.pace.taken == rig.pace.fed


def words(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield pcm_of(0.4, 500.0)
        yield pcm_of(0.8, None)


def test_it_renews_itself_in_the_middle_of_speech_after_160_s() -> None:
    """So this is what `VoxtralProcess.renew` has to be earlier than."""
    rig = Rig(0.5, None)
    remembered = 0
    for word in words(200):
        rig.feed(word)
        remembered = max(remembered, rig.pace.since_prompt)
    assert 155 < remembered / SAMPLE_RATE_HZ < 162


def test_silence_makes_it_renew_itself_after_five_seconds() -> None:
    rig = Rig(0.5, None)
    for word in words(3):
        rig.feed(word)
    for _ in range(12):
        rig.feed(pcm_of(0.5, None))
        if not rig.pace.is_prompted:
            break
    assert not rig.pace.is_prompted
    assert rig.pace.prompt_since is None
    assert 4.5 < rig.pace.since_text / SAMPLE_RATE_HZ < 6.5


def test_after_the_end_of_a_text_it_takes_speech_for_a_prompt() -> None:
    """That is why the part of an utterance after a `✂` is fed again."""
    rig = Rig(0.5, eos_after=8)
    rig.feed(pcm_of(1.0, None))
    for word in words(1):
        rig.feed(word)
    while rig.pace.prompt_since is None:
        rig.feed(pcm_of(0.1, None))
    heard = rig.text
    for word in words(2):
        rig.feed(word)
    assert rig.text == heard
    while not rig.pace.is_prompted:
        rig.feed(pcm_of(0.1, None))
    for word in [*words(1), pcm_of(1.5, None)]:
        rig.feed(word)
    assert len(rig.text) > len(heard)


@pytest.mark.parametrize("interval_s", INTERVALS_S)
def test_it_first_answers_after_half_a_second(interval_s: float) -> None:
    rig = Rig(interval_s, None)
    rig.feed(bytes(2 * rig.pace.due_at() - 2))
    assert rig.steps == []
    rig.feed(bytes(2))
    assert [step.samples for step in rig.steps] == [10_240]
