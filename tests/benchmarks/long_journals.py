"""Journals of any length: hours of speech in chunks of 0.1 s, with partials, as a live app sees it.

A second of it is 30 events of chunks, two inferences, two partials, a sample, and now and then an
utterance with its final. One word in twenty is wrong.
"""

from collections.abc import Iterator
from pathlib import Path

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRHealth, ASRSegment, AudioAccount, AudioSource, Word
from harness.journal.events import (
    AnyEvent,
    ChunkDone,
    ChunkTaken,
    Inferred,
    Loaded,
    Queued,
    Sampled,
    SegmentArrived,
    SessionEnded,
    TrialEnded,
    TrialStarted,
    Utterance,
    encode,
)
from harness.journal.journal import seal
from harness.journal.run_folder import RunFolder
from harness.specs.options import Options
from harness.specs.trial import TrialStatus
from tests.reports.journals import make_spec

MIC = AudioSource.MIC
CHUNK_S, PARTIAL_EVERY, WORD_S = 0.1, 5, 0.4
SENTENCE = "we will meet the team next week".split()
SPOKEN_S = WORD_S * len(SENTENCE)
PERIOD_S = SPOKEN_S + 0.5


def write_long_run(root: Path, events: int, trials: int = 1) -> RunFolder:
    """Write a run of about so many events in all."""
    folder = RunFolder.create(root, Options())
    with folder.journal.open("wb") as file:
        for number in range(trials):
            spec = make_spec(f"p{number}", chunk_s=CHUNK_S, duration_s=80_000.0)
            file.write(seal(number + 1, encode(TrialStarted(key=spec.key, spec=spec))))
            for event in long_trial(events // trials):
                file.write(seal(number + 1, encode(event)))
            file.write(seal(number + 1, encode(TrialEnded(status=TrialStatus.OK, wall_s=1.0))))
    folder.finish()
    return folder


def long_trial(events: int) -> Iterator[AnyEvent]:
    """About so many events."""
    yield Loaded(spawn_s=0.2, load_s=0.3, probe_s=0.2, probe_text="so", probe_inference_s=(0.05,),
                 probe_window_s=(1.0,))  # fmt: skip
    size = round(CHUNK_S * SAMPLE_RATE_HZ)
    utterance, chunk, written = 0, 0, 1
    while written < events:
        due_s = (chunk + 1) * CHUNK_S
        at_s = due_s + 1e-4
        yield Queued(source=MIC, chunk=chunk, first_sample=chunk * size, samples=size,
                     due_s=due_s, at_s=at_s, depth=1)  # fmt: skip
        yield ChunkTaken(source=MIC, chunk=chunk, at_s=at_s, depth=0)
        written += 2
        if chunk % PARTIAL_EVERY == 0:
            end_s = at_s + 0.02 + 0.001 * (chunk % 7)
            yield Inferred(source=MIC, begin_s=at_s, end_s=end_s, window_s=1.0)
            yield from _partial(utterance, due_s, end_s)
            written += 2
        yield ChunkDone(source=MIC, chunk=chunk, at_s=at_s + 0.03)
        written += 1
        if chunk % 10 == 0:
            yield _sampled(at_s, (chunk + 1) * size)
            written += 1
        chunk += 1
        if chunk * CHUNK_S >= (utterance + 1) * PERIOD_S:
            yield from _utterance(utterance)
            utterance += 1
            written += 2
    yield SessionEnded(at_s=chunk * CHUNK_S + 1, stop_s=0.01)


def _words(utterance: int, shown: bool) -> list[str]:
    words = list(SENTENCE)
    if shown and utterance % 3 == 0:
        words[utterance % len(words)] = "and"
    return words


def _partial(utterance: int, due_s: float, at_s: float) -> Iterator[SegmentArrived]:
    begin_s = utterance * PERIOD_S
    heard = max(0, min(len(SENTENCE), int((due_s - begin_s) / WORD_S)))
    yield SegmentArrived(at_s=at_s, segment=ASRSegment(
        source=MIC, segment_id=utterance, revision=int(10 * (due_s - begin_s)), is_final=False,
        text=" ".join(_words(utterance, shown=True)[:heard]), t0=begin_s, t1=max(begin_s, due_s),
        stable_words=max(0, heard - 1),
    ))  # fmt: skip


def _utterance(utterance: int) -> Iterator[AnyEvent]:
    begin_s = utterance * PERIOD_S
    words = tuple(Word(word, begin_s + WORD_S * at, begin_s + WORD_S * (at + 1))
                  for at, word in enumerate(_words(utterance, shown=False)))  # fmt: skip
    yield Utterance(source=MIC, utterance_id=f"u{utterance}", t0=begin_s, t1=begin_s + SPOKEN_S,
                    text=" ".join(SENTENCE), words=words)  # fmt: skip
    yield SegmentArrived(at_s=begin_s + PERIOD_S, segment=ASRSegment(
        source=MIC, segment_id=utterance, revision=999, is_final=True,
        text=" ".join(_words(utterance, shown=True)), t0=begin_s, t1=begin_s + SPOKEN_S,
    ))  # fmt: skip


def _sampled(at_s: float, taken: int) -> Sampled:
    health = ASRHealth(realtime_factor=0.1, avg_infer_ms=20.0, backlog_estimate=0,
                       model_resident=True,
                       audio={"mic": AudioAccount(received=taken, decoded=taken)})  # fmt: skip
    return Sampled(at_s=at_s, health=health, handed_over={"mic": taken}, cpu_s=0.1 * at_s,
                   rss_bytes=10**8, threads=4, open_files=9)  # fmt: skip
