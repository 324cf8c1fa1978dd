"""Runs on disk with any content: what a provider said is the test's to choose."""

from collections.abc import Sequence
from pathlib import Path

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import ASRHealth, ASRSegment, AudioAccount, AudioSource, Word
from harness.journal.events import (
    AnyEvent,
    ChunkDone,
    ChunkTaken,
    Dropped,
    Inferred,
    Loaded,
    Queued,
    RuleChecked,
    Sampled,
    SegmentArrived,
    SessionEnded,
    TrialEnded,
    TrialStarted,
    Utterance,
    encode,
)
from harness.journal.journal import JournalWriter, read_journal
from harness.journal.run_folder import RunFolder
from harness.specs.options import Options
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import Threshold, read_thresholds

THRESHOLDS = Path(__file__).parent / "thresholds.toml"
MIC = AudioSource.MIC
OK = TrialEnded(status=TrialStatus.OK, wall_s=3.0)
WORD_S = 0.4


def make_spec(
    provider: str = "made_up",
    model: str = "embedded",
    chunk_s: float = 2.0,
    duration_s: float = 60.0,
    activity: Activity = Activity.SCENARIO,
    name: str = "speech_heavy",
) -> TrialSpec:
    script = SourceScript(name=MIC, gap_s=(0.2, 0.8))
    scenario = Scenario(title="made up", duration_s=duration_s, sources=(script,), name=name)
    return TrialSpec(
        provider=provider,
        model=model,
        chunk_seconds=chunk_s,
        scenario=scenario,
        corpus="embedded",
        clock=ClockKind.VIRTUAL,
        activity=activity,
    )


def played(
    spec: TrialSpec,
    said: Sequence[tuple[str, str]],
    rtf: float = 0.1,
    drop_every: int = 0,
    silent: Sequence[int] = (),
) -> list[AnyEvent]:
    """The events of a trial that kept pace.

    Args:
        spec: The trial.
        said: What was spoken and what the final said, one utterance after the other, in a circle.
        rtf: Inference seconds per audio second, of every chunk.
        drop_every: Drops each chunk with such a number.
        silent: Chunks that need no inference.
    """
    size = round(spec.chunk_seconds * SAMPLE_RATE_HZ)
    count = int(spec.scenario.duration_s / spec.chunk_seconds)
    truth = _truth(spec, [spoken for spoken, _ in said])
    events: list[AnyEvent] = [
        Loaded(spawn_s=0.2, load_s=0.3, probe_s=0.2, probe_text="so", probe_inference_s=(0.2,),
               probe_window_s=(2.0,)),
        *truth,
    ]  # fmt: skip
    taken = 0
    for chunk in range(count):
        due_s = (chunk + 1) * spec.chunk_seconds
        events.append(
            Queued(
                source=MIC, chunk=chunk, first_sample=chunk * size, samples=size, due_s=due_s,
                at_s=due_s, depth=1,
            )
        )  # fmt: skip
        if drop_every and chunk % drop_every == drop_every - 1:
            events.append(Dropped(source=MIC, chunk=chunk, at_s=due_s))
            continue
        taken += size
        end_s = due_s + rtf * spec.chunk_seconds
        events.append(ChunkTaken(source=MIC, chunk=chunk, at_s=due_s, depth=0))
        if chunk not in silent:
            events.append(
                Inferred(source=MIC, begin_s=due_s, end_s=end_s, window_s=spec.chunk_seconds)
            )
        events.append(ChunkDone(source=MIC, chunk=chunk, at_s=end_s))
        events.append(_sampled(end_s, taken))
    for number, utterance in enumerate(truth):
        final = ASRSegment(
            source=MIC, segment_id=number, revision=0, is_final=True,
            text=said[number % len(said)][1], t0=utterance.t0, t1=utterance.t1,
        )  # fmt: skip
        events.append(SegmentArrived(at_s=utterance.t1 + 0.3, segment=final))
    return [*events, SessionEnded(at_s=spec.scenario.duration_s + 1, stop_s=0.01)]


def checked(broken: Sequence[tuple[str, str]], kept: Sequence[str]) -> list[AnyEvent]:
    """The events of a conformance trial."""
    return [
        *(RuleChecked(check=name, passed=False, detail=detail) for name, detail in broken),
        *(RuleChecked(check=name, passed=True, detail="") for name in kept),
    ]


def ended(status: TrialStatus, reason: str) -> TrialEnded:
    return TrialEnded(status=status, reason=reason, wall_s=1.0)


def write_run(
    root: Path,
    trials: Sequence[tuple[TrialSpec, Sequence[AnyEvent], TrialEnded | None]],
    options: Options | None = None,
) -> RunFolder:
    """Write a run's folder; a trial without an end is one that was interrupted."""
    folder = RunFolder.create(root, options or Options())
    journal = JournalWriter(folder.journal)
    for spec, events, ended in trials:
        journal.begin(TrialStarted(key=spec.key, spec=spec))
        for event in events:
            journal.append(encode(event))
        if ended is not None:
            journal.end(ended)
    journal.close()
    if all(ended for _, _, ended in trials):
        folder.finish()
    return folder


def read_results(
    folder: RunFolder, path: Path = THRESHOLDS
) -> tuple[list[TrialResult], dict[str, Threshold]]:
    thresholds = read_thresholds(path)
    return list(evaluate(read_journal(folder.journal), thresholds).values()), thresholds


def _truth(spec: TrialSpec, texts: Sequence[str]) -> list[Utterance]:
    utterances: list[Utterance] = []
    at_s = 0.5
    while texts:
        spoken = texts[len(utterances) % len(texts)].split()
        end_s = at_s + WORD_S * len(spoken)
        if end_s > spec.scenario.duration_s:
            break
        words = tuple(
            Word(word, at_s + WORD_S * place, at_s + WORD_S * (place + 1))
            for place, word in enumerate(spoken)
        )
        utterances.append(
            Utterance(
                source=MIC, utterance_id=f"u{len(utterances)}", t0=at_s, t1=end_s,
                text=" ".join(spoken), words=words,
            )
        )  # fmt: skip
        at_s = end_s + 0.5
    return utterances


def _sampled(at_s: float, taken: int) -> Sampled:
    account = AudioAccount(received=taken, decoded=taken)
    health = ASRHealth(
        realtime_factor=0.1, avg_infer_ms=200.0, backlog_estimate=0, model_resident=True,
        audio={"mic": account},
    )  # fmt: skip
    return Sampled(
        at_s=at_s, health=health, handed_over={"mic": taken}, cpu_s=0.1 * at_s, rss_bytes=10**8,
        threads=4, open_files=9,
    )  # fmt: skip
