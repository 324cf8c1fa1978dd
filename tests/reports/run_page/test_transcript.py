from hypothesis import given
from hypothesis import strategies as st

from harness.contract import ASRSegment, AudioSource
from harness.journal.events import SegmentArrived, Utterance
from harness.metrics import TrialLog
from harness.metrics.alignment import align, shown_words, spoken_words
from reports.run_page.texts import MAX_LETTERS, MAX_ROWS, cut, source_texts
from reports.run_page.transcript import Kind, Piece, compare, worst_first
from tests.reports.journals import make_spec

MIC = AudioSource.MIC
SENTENCES = st.lists(st.lists(st.sampled_from("a b c d".split()), max_size=6), max_size=5)


def log_of(said: list[list[str]], shown: list[list[str]]) -> TrialLog:
    truth = [
        Utterance(source=MIC, utterance_id=str(at), t0=2.0 * at, t1=2.0 * at + 1, text=" ".join(s),
                  words=None)
        for at, s in enumerate(said)
    ]  # fmt: skip
    finals = [
        SegmentArrived(
            at_s=2.0 * at + 1.5,
            segment=ASRSegment(source=MIC, segment_id=at, revision=0, is_final=True,
                               text=" ".join(words), t0=2.0 * at, t1=2.0 * at + 1),
        )
        for at, words in enumerate(shown)
    ]  # fmt: skip
    return TrialLog(make_spec(), [*truth, *finals])


@given(SENTENCES, SENTENCES)
def test_differences_are_those_that_the_word_error_rate_counts(
    said: list[list[str]], shown: list[list[str]]
) -> None:
    log = log_of(said, shown)
    comparisons = compare(log, MIC)
    assert [comparison.errors for comparison in comparisons] == align(log, MIC).errors
    for comparison in comparisons:
        marked = [piece for piece in comparison.spoken + comparison.shown
                  if piece.kind is not Kind.EQUAL]  # fmt: skip
        assert bool(marked) == bool(comparison.errors)


@given(SENTENCES, SENTENCES)
def test_no_word_is_lost_or_made_up(said: list[list[str]], shown: list[list[str]]) -> None:
    log = log_of(said, shown)
    comparisons = compare(log, MIC)
    spoken = [word.token for word in spoken_words(log, MIC)]
    assert words_of([each.spoken for each in comparisons]) == spoken
    if spoken:
        tokens = [word.token for word in shown_words(log.segments(MIC))]
        assert words_of([each.shown for each in comparisons]) == tokens


def words_of(lines: list[list[Piece]]) -> list[str]:
    return [word for pieces in lines for piece in pieces for word in piece.words.split()]


def test_each_kind_of_error_is_marked_on_its_side() -> None:
    log = log_of([["open", "the", "door"], ["stop", "now"]], [["open", "a", "door", "please"],
                                                               ["stop"]])  # fmt: skip
    first, second = compare(log, MIC)
    assert first.spoken == [Piece(Kind.EQUAL, "open"), Piece(Kind.SUBSTITUTED, "the"),
                          Piece(Kind.EQUAL, "door")]  # fmt: skip
    assert first.shown == [Piece(Kind.EQUAL, "open"), Piece(Kind.SUBSTITUTED, "a"),
                           Piece(Kind.EQUAL, "door"), Piece(Kind.INSERTED, "please")]  # fmt: skip
    assert second.spoken == [Piece(Kind.EQUAL, "stop"), Piece(Kind.DELETED, "now")]
    assert second.shown == [Piece(Kind.EQUAL, "stop")]
    assert (first.errors, second.errors) == (2, 1)
    assert worst_first([second, first], 1) == [first]


def test_a_summary_counts_what_is_left_out() -> None:
    said = [["a"]] * (MAX_ROWS + 3)
    text = source_texts(log_of(said, [["b"], *said[1:]]))[0]
    assert (len(text.utterances), text.more_utterances) == (MAX_ROWS, 3)
    assert (len(text.finals), text.more_finals) == (MAX_ROWS, 3)
    assert text.in_words == f"1 of {MAX_ROWS + 3} utterances have errors, 1 in all. The worst:"
    right = source_texts(log_of([["a"]], [["a"]]))[0]
    assert right.in_words == "All 1 utterances are correct, word for word."


@given(st.lists(st.integers(0, MAX_LETTERS)))
def test_what_is_shown_keeps_within_its_room(sizes: list[int]) -> None:
    kept = cut(sizes, lambda size: size)
    assert kept == sizes[: len(kept)]
    assert sum(kept) <= MAX_LETTERS
    if len(kept) < min(len(sizes), MAX_ROWS):
        assert sum(kept) + sizes[len(kept)] > MAX_LETTERS
