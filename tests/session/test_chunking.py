"""Cutting captured audio into chunks: nothing lost, and the first ones short."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.session.chunking import FIRST_CHUNK_S, Chunk, Chunker

lengths = st.lists(st.integers(0, 3 * SAMPLE_RATE_HZ), max_size=40)
sizes_s = st.floats(0.001, 30.0)


def ramp(samples: int) -> Pcm16:
    return np.arange(samples).astype(np.int16)


def cut(chunker: Chunker, pcm: Pcm16, pushes: list[int]) -> list[Chunk]:
    """Push audio in pieces, and the rest as one; then finish."""
    ends = np.cumsum([0, *pushes]).clip(max=len(pcm)).tolist()
    chunks = [chunk for begin, end in pairwise([*ends, len(pcm)])
              for chunk in chunker.push(pcm[begin:end])]  # fmt: skip
    return chunks + list(chunker.finish())


@pytest.mark.parametrize(
    ("chunk_s", "ends_s"),
    [
        (0.5, [0.5, 1, 1.5, 2, 2.5]),
        (1, [1, 2, 3, 4, 5]),
        (2, [1, 2, 4, 6, 8]),
        (4, [1, 2, 4, 8, 12, 16]),
        (8, [1, 2, 4, 8, 16, 24]),
        (3, [1, 2, 4, 7, 10]),
        (30, [1, 2, 4, 8, 16, 32, 62, 92]),
    ],
)
def test_chunks_double_until_they_have_their_size(chunk_s: float, ends_s: list[float]) -> None:
    chunks = cut(Chunker(chunk_s), ramp(round(ends_s[-1] * SAMPLE_RATE_HZ)), [])
    assert [chunk.end_sample / SAMPLE_RATE_HZ for chunk in chunks] == ends_s


@given(sizes_s, lengths, st.integers(0, 5 * SAMPLE_RATE_HZ))
def test_chunks_hold_all_audio_in_order(chunk_s: float, pushes: list[int], length: int) -> None:
    pcm = ramp(length)
    chunks = cut(Chunker(chunk_s), pcm, pushes)
    assert b"".join(chunk.pcm.tobytes() for chunk in chunks) == pcm.tobytes()
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    before = 0
    for chunk in chunks:
        assert chunk.first_sample == before
        full = min(
            round(chunk_s * SAMPLE_RATE_HZ), max(round(FIRST_CHUNK_S * SAMPLE_RATE_HZ), before)
        )
        assert len(chunk.pcm) == full or (chunk is chunks[-1] and 0 < len(chunk.pcm) < full)
        before = chunk.end_sample


@given(sizes_s, lengths, st.integers(0, 5 * SAMPLE_RATE_HZ))
def test_cuts_do_not_depend_on_how_audio_arrives(
    chunk_s: float, pushes: list[int], length: int
) -> None:
    pcm = ramp(length)
    ends = [chunk.end_sample for chunk in cut(Chunker(chunk_s), pcm, pushes)]
    assert ends == [chunk.end_sample for chunk in cut(Chunker(chunk_s), pcm, [])]


@given(sizes_s, st.integers(1, 20))
def test_what_is_missing_completes_a_chunk(chunk_s: float, times: int) -> None:
    chunker = Chunker(chunk_s)
    for _ in range(times):
        missing = chunker.missing
        assert list(chunker.push(ramp(missing - 1))) == []
        assert chunker.missing == 1
        (chunk,) = chunker.push(ramp(1))
        assert len(chunk.pcm) == missing


@given(st.lists(st.tuples(sizes_s, st.integers(0, 2 * SAMPLE_RATE_HZ)), max_size=20))
def test_the_size_may_change_at_any_time(steps: list[tuple[float, int]]) -> None:
    pcm = ramp(sum(length for _, length in steps))
    chunker, chunks, at = Chunker(1.0), list[Chunk](), 0
    for chunk_s, length in steps:
        chunker.chunk_seconds = chunk_s
        assert chunker.missing >= 1
        chunks += chunker.push(pcm[at : at + length])
        at += length
    chunks += chunker.finish()
    assert b"".join(chunk.pcm.tobytes() for chunk in chunks) == pcm.tobytes()
    assert list(chunker.finish()) == []
