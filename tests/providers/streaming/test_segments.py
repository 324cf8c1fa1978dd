from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Word
from providers.streaming.segments import Captions, placed

offsets = st.floats(-5, 20)
texts = st.lists(st.sampled_from(["open", "the", "door", "Door,"]), max_size=5).map(" ".join)


@given(
    st.lists(st.tuples(offsets, offsets), max_size=10),
    st.floats(0, 10),
    st.floats(0, 8),
    st.floats(0, 20),
)
def test_placed_words_are_in_order_inside_the_stretch(
    times: list[tuple[float, float]], begin_s: float, length_s: float, not_before_s: float
) -> None:
    words = [Word(str(number), *pair) for number, pair in enumerate(times)]
    end_s = begin_s + length_s
    result = placed(words, begin_s, end_s, not_before_s)
    assert [word.text for word in result] == [word.text for word in words]
    earliest_s = begin_s
    for word in result:
        assert earliest_s <= word.t0 <= word.t1 <= end_s
        assert word.t0 >= min(not_before_s, end_s)
        earliest_s = word.t1


@given(st.lists(st.tuples(texts, offsets, offsets, st.booleans()), max_size=12))
def test_finals_never_overlap_and_revisions_count_up(
    said: list[tuple[str, float, float, bool]],
) -> None:
    captions = Captions(None)
    segment_id = revision = 0
    last_t1 = 0.0
    for text, begin_s, end_s, is_final in said:
        segment = captions.revise(segment_id, text, (begin_s, end_s), is_final=is_final)
        assert segment.revision == revision
        assert last_t1 <= segment.t0 <= segment.t1
        assert segment.stable_words <= len(text.split())
        if is_final:
            segment_id, revision, last_t1 = segment_id + 1, 0, segment.t1
        else:
            revision += 1
