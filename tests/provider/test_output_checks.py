"""What a provider says is checked before it counts."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import ASRSegment, AudioSource, Word
from harness.errors import BadOutputError
from harness.journal.events import SegmentArrived, encode
from harness.journal.journal import seal
from harness.provider.output_checks import MAX_SEGMENT, MAX_TEXT, checked_segment
from harness.runner.supervisor import MAX_EVENT_BYTES
from tests.journal.test_journal import segments
from tests.stand_ins.babbles import WRONG

MIC = AudioSource.MIC
SOUND = ASRSegment(
    source=MIC, segment_id=0, revision=0, is_final=False, text="hello there", t0=0.0, t1=1.5,
    words=(Word("hello", 0.0, 0.5), Word("there", 0.5, 1.5)), stable_words=1,
)  # fmt: skip

anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
        st.builds(Word, st.text(), st.floats(), st.floats()), st.sampled_from(AudioSource),
        st.builds(object), st.builds(set), st.just(SOUND),
    ),
    lambda inner: st.one_of(st.lists(inner), st.tuples(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)  # fmt: skip


def test_a_sound_segment_passes_unchanged() -> None:
    assert checked_segment(SOUND, MIC, "here") == SOUND
    unnamed = msgspec.structs.replace(SOUND, source=None)
    assert checked_segment(unnamed, None, "here") == unnamed


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_is_named(fault: str) -> None:
    spoilt = msgspec.structs.replace(SOUND, **WRONG[fault])
    with pytest.raises(BadOutputError, match=r"^here: .*; allowed: "):
        checked_segment(spoilt, MIC, "here")


def test_the_longest_text_fits_into_a_line() -> None:
    """Whatever passes must also pass the protocol; control characters are the longest as JSON."""
    longest = msgspec.structs.replace(SOUND, text="\x01" * MAX_TEXT)
    spare = MAX_SEGMENT - len(msgspec.json.encode(longest)) - 50
    words = (*SOUND.words, Word("x" * spare, 1.0, 1.5))
    longest = msgspec.structs.replace(longest, words=words)
    line = seal(
        2**63, encode(SegmentArrived(at_s=1e9 / 7, segment=checked_segment(longest, MIC, "here")))
    )
    assert MAX_SEGMENT < len(line) < MAX_EVENT_BYTES
    longer = msgspec.structs.replace(longest, words=words * 2)
    with pytest.raises(BadOutputError, match="at most 1000000 bytes"):
        checked_segment(longer, MIC, "here")


@given(anything)
def test_nothing_else_is_a_segment(said: Any) -> None:
    if said is SOUND:
        assert checked_segment(said, MIC, "here") == SOUND
    else:
        with pytest.raises(BadOutputError):
            checked_segment(said, MIC, "here")


@given(st.sampled_from(ASRSegment.__struct_fields__), anything)
def test_a_segment_with_anything_in_a_field_is_checked_or_sound(field: str, content: Any) -> None:
    """No error but the typed one, and what passes can be written and read."""
    spoilt = msgspec.structs.replace(SOUND, **{field: content})
    try:
        checked = checked_segment(spoilt, MIC, "here")
    except BadOutputError:
        return
    assert msgspec.json.decode(msgspec.json.encode(checked), type=ASRSegment) == checked
    assert checked.source is MIC
    assert 0 <= checked.t0 <= checked.t1


@given(segments)
def test_times_that_run_forward_are_all_that_is_asked_of_times(segment: ASRSegment) -> None:
    pieces: list[ASRSegment | Word] = [segment, *segment.words]
    forward = all(0 <= piece.t0 <= piece.t1 for piece in pieces)
    try:
        assert checked_segment(segment, segment.source, "here") == segment
        assert forward
    except BadOutputError:
        assert not forward
