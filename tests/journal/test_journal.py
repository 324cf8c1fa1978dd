"""The journal: what goes in comes out, and damage is told from a torn end."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import ASRHealth, ASRSegment, AudioAccount, AudioSource, Word
from harness.errors import JournalError
from harness.journal.events import (
    Backpressure,
    ChunkDone,
    Event,
    Sampled,
    SegmentArrived,
    TrialEnded,
    TrialStarted,
    Utterance,
    encode,
)
from harness.journal.journal import JournalWriter, read_journal, seal
from harness.specs.trial import TrialStatus
from tests.profiles import examples
from tests.trials import spec_of

SPEC = spec_of("null", "nothing")
times_s = st.floats(-1e6, 1e6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
words = st.builds(Word, texts, times_s, times_s)
sources = st.sampled_from(AudioSource)
counts = st.integers(0, 2**62)
segments = st.builds(
    ASRSegment,
    source=sources,
    segment_id=counts,
    revision=counts,
    is_final=st.booleans(),
    text=texts,
    t0=times_s,
    t1=times_s,
    words=st.lists(words, max_size=3).map(tuple),
    stable_words=counts,
)
healths = st.builds(
    ASRHealth,
    realtime_factor=st.none() | times_s,
    avg_infer_ms=st.none() | times_s,
    backlog_estimate=counts,
    model_resident=st.booleans(),
    last_error=st.none() | texts,
    audio=st.dictionaries(texts, st.builds(AudioAccount, received=counts, decoded=counts)),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(SegmentArrived, at_s=times_s, segment=segments),
    st.builds(ChunkDone, source=sources, chunk=counts, at_s=times_s),
    st.builds(Backpressure, source=sources, at_s=times_s, level=st.floats(0, 1), reason=texts),
    st.builds(
        Utterance, source=sources, utterance_id=texts, t0=times_s, t1=times_s, text=texts,
        words=st.none() | st.lists(words, max_size=3).map(tuple),
    ),
    st.builds(
        Sampled, at_s=times_s, health=healths, handed_over=st.dictionaries(texts, counts),
        cpu_s=times_s, rss_bytes=counts, threads=counts, open_files=st.none() | counts,
    ),
)  # fmt: skip
endings = st.none() | st.builds(
    TrialEnded, status=st.sampled_from(TrialStatus), reason=texts, wall_s=times_s
)
trials = st.tuples(st.lists(events, max_size=8), endings)


def write(path: Path, written: list[tuple[list[Event], TrialEnded | None]]) -> None:
    writer = JournalWriter(path)
    for number, (content, ended) in enumerate(written):
        writer.begin(TrialStarted(key=f"{number:016x}", spec=SPEC))
        for event in content:
            writer.append(encode(event))
        if ended is not None:
            writer.end(ended)
    writer.close()


def contents(path: Path) -> list[tuple[list[Event], TrialEnded | None]]:
    """What a journal holds, in the form that `write` takes."""
    return [
        ([event for event in record.events if not isinstance(event, TrialEnded)], record.ended)
        for record in read_journal(path)
    ]


def small_journal(path: Path, trials: int = 3) -> bytes:
    """Some trials of two events, all of them ended."""
    tick = ChunkDone(source=AudioSource.MIC, chunk=1, at_s=0.5)
    write(path, [([tick, tick], TrialEnded(status=TrialStatus.OK))] * trials)
    return path.read_bytes()


@pytest.mark.slow
@given(st.lists(trials, max_size=4), st.integers(0, 4))
@settings(max_examples=examples(60))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    written: list[tuple[list[Event], TrialEnded | None]],
    first: int,
) -> None:
    """Also when the run was broken off after a few trials and another process went on."""
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    write(path, written[:first])
    write(path, written[first:])
    assert contents(path) == written
    assert [record.number for record in read_journal(path)] == list(range(1, len(written) + 1))


def test_a_torn_end_is_ignored_and_cut_at_every_byte(tmp_path: Path) -> None:
    whole = small_journal(tmp_path / "whole.jsonl")
    last_begin = whole[:-1].rindex(b"\n") + 1
    path = tmp_path / "torn.jsonl"
    for end in range(last_begin, len(whole)):
        path.write_bytes(whole[:end])
        records = read_journal(path)
        assert [record.ended is not None for record in records] == [True, True, False]
        assert path.read_bytes() == whole[:end]  # reading changes nothing
        write(path, [([], TrialEnded(status=TrialStatus.OK))])
        assert path.read_bytes()[:last_begin] == whole[:last_begin]
        assert [record.number for record in read_journal(path)] == [1, 2, 3, 4]


@pytest.mark.slow
def test_a_flipped_byte_is_an_error_that_names_its_line(tmp_path: Path) -> None:
    """Every byte of the file in turn; only the very last line feed looks like a torn end."""
    whole = small_journal(tmp_path / "whole.jsonl", trials=2)
    path = tmp_path / "flipped.jsonl"
    for at in range(len(whole) - 1):
        line = whole[:at].count(b"\n") + 1
        flipped = whole[at] ^ (0x01, 0x20, 0x80)[at % 3]
        path.write_bytes(whole[:at] + bytes([flipped]) + whole[at + 1 :])
        with pytest.raises(JournalError, match=rf"line {line}: is damaged"):
            read_journal(path)
    with pytest.raises(JournalError, match="is damaged"):
        JournalWriter(path)
    path.write_bytes(whole[:-1] + b"\x0b")
    assert [record.ended is not None for record in read_journal(path)] == [True, False]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: [*lines[:3], *lines[4:]],  # an event is missing: not seen, as told below
        lambda lines: lines[1:],
        lambda lines: [*lines[:2], b"\n", *lines[2:]],
        lambda lines: [*lines, b"\x00" * 4096 + b"\n"],
        lambda lines: [*lines, b"\n"],
    ],
    ids=["lost event", "lost beginning", "blank line", "zeros", "blank end"],
)
def test_other_damage(spoil: Callable[[list[bytes]], list[bytes]], tmp_path: Path) -> None:
    """A line that is gone as a whole leaves no trace, unless it began a trial."""
    path = tmp_path / "journal.jsonl"
    lines = small_journal(path).splitlines(keepends=True)
    path.write_bytes(b"".join(spoil(lines)))
    if len(spoil(lines)) == len(lines) - 1 and spoil(lines)[0] == lines[0]:
        assert len(read_journal(path)) == 3
    else:
        with pytest.raises(JournalError):
            read_journal(path)


def test_zeros_at_the_end_are_a_torn_end(tmp_path: Path) -> None:
    """Some file systems leave them where the power went before the data was written."""
    path = tmp_path / "journal.jsonl"
    whole = small_journal(path)
    path.write_bytes(whole + b"\x00" * 4096)
    assert len(read_journal(path)) == 3
    JournalWriter(path).close()
    assert path.read_bytes() == whole


def test_events_of_two_trials_may_be_mixed(tmp_path: Path) -> None:
    """The number on each line says whose it is, so no order is taken for granted."""
    path = tmp_path / "journal.jsonl"
    lines = small_journal(path).splitlines(keepends=True)
    mixed = [lines[0], lines[4], lines[1], lines[5], lines[6], lines[2], lines[7], lines[3]]
    path.write_bytes(b"".join(mixed))
    assert contents(path) == contents_of_first_two(lines, tmp_path)
    writer = JournalWriter(path)
    writer.begin(TrialStarted(key="third", spec=SPEC))
    writer.close()
    assert [record.number for record in read_journal(path)] == [1, 2, 3]


def contents_of_first_two(
    lines: list[bytes], folder: Path
) -> list[tuple[list[Event], TrialEnded | None]]:
    path = folder / "first_two.jsonl"
    path.write_bytes(b"".join(lines[:8]))
    return contents(path)


def test_a_later_version_may_say_more(tmp_path: Path) -> None:
    """Fields that this version doesn't know are passed over, in events and their parts."""
    path = tmp_path / "journal.jsonl"
    write(path, [([ChunkDone(source=AudioSource.MIC, chunk=1, at_s=0.5)], None)])
    later = b'{"kind":"chunk_done","source":"mic","chunk":2,"at_s":1.5,"mood":{"good":[true]}}'
    with path.open("ab") as file:
        file.write(seal(1, later))
    assert contents(path)[0][0][-1] == ChunkDone(source=AudioSource.MIC, chunk=2, at_s=1.5)


@pytest.mark.parametrize(
    "event",
    [
        b'{"kind":"levitated","at_s":1.0}',
        b'{"kind":"chunk_done","source":"mic","chunk":"two","at_s":1.5}',
        b'{"source":"mic"}',
    ],
)
def test_what_this_version_cannot_read_is_an_error_that_names_its_line(
    event: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, [([], None)])
    with path.open("ab") as file:
        file.write(seal(1, event))
    with pytest.raises(JournalError, match="line 2: is of another schema"):
        read_journal(path)


def test_a_spec_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """A setting that isn't understood may change what the figures mean."""
    path = tmp_path / "journal.jsonl"
    started = msgspec.to_builtins(TrialStarted(key="one", spec=SPEC))
    started["spec"]["warp"] = 9
    path.write_bytes(seal(1, msgspec.json.encode(started)))
    with pytest.raises(JournalError, match=r"line 1: .*warp"):
        read_journal(path)


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none.jsonl") == []


def test_only_one_run_writes_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    small_journal(path)
    writer = JournalWriter(path)
    with pytest.raises(JournalError, match="another run"):
        JournalWriter(path)
    writer.close()
    JournalWriter(path).close()
