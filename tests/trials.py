"""What tests of trials share: a small corpus with word times, specs, and a run of them."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import AudioSource, Option
from harness.journal.events import Event, TrialEnded
from harness.journal.journal import JournalWriter, TrialRecord, read_journal
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.runner.pool import WorkerPool
from harness.runner.run import measure_all
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import Activity, TrialSpec, TrialStatus

STAND_INS = Path(__file__).parent / "stand_ins" / "installed"
"""On `sys.path`, this folder makes the stand-ins known, as if they had been installed."""
WORD_S = 0.25
SENTENCES = (
    "open the door", "stop", "we meet next week", "record the green garden", "send nine", "call me",
)  # fmt: skip


def tone_hz(sentence: int, word: int) -> float:
    """The tone that stands for a word, by the numbers of its sentence and of itself in it."""
    return 200.0 + 90 * sentence + 40 * word


def lexicon_of(sentences: Sequence[str]) -> dict[float, str]:
    """The words by their tones."""
    return {tone_hz(number, at): word for number, sentence in enumerate(sentences)
            for at, word in enumerate(sentence.split())}  # fmt: skip


def write_corpus(folder: Path, sentences: Sequence[str] = SENTENCES) -> Path:
    """Write one sound file a sentence, each word a tone of its own, and the manifest of them."""
    lines = []
    for number, sentence in enumerate(sentences):
        words = sentence.split()
        times = np.arange(round(WORD_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        tones = [np.sin(2 * np.pi * tone_hz(number, at) * times) * np.hanning(len(times))
                 for at in range(len(words))]  # fmt: skip
        audio = (np.concatenate(tones) * 9000).astype(np.int16)
        soundfile.write(folder / f"{number}.wav", audio, SAMPLE_RATE_HZ, subtype="PCM_16")
        line = {
            "audio_filepath": f"{number}.wav",
            "duration": len(audio) / SAMPLE_RATE_HZ,
            "text": sentence,
            "words": [[word, at * WORD_S, (at + 1) * WORD_S] for at, word in enumerate(words)],
        }
        lines.append(json.dumps(line))
    manifest = folder / "manifest.jsonl"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def scenario_of(duration_s: float, *sources: SourceScript, queue_s: float = 10.0) -> Scenario:
    """A scenario; one microphone that hardly pauses where no source is given."""
    mic = SourceScript(name=AudioSource.MIC, gap_s=(0.1, 0.3))
    return Scenario(
        title="a test", name="test", duration_s=duration_s, sources=sources or (mic,),
        queue_s=queue_s, noise_dbfs=-90.0,
    )  # fmt: skip


def spec_of(
    provider: str,
    corpus: Path | str,
    settings: dict[str, Option] | None = None,
    *,
    clock: ClockKind = ClockKind.VIRTUAL,
    chunk_seconds: float = 1.0,
    scenario: Scenario | None = None,
    model: str = "embedded",
    seed: int = 1,
    activity: Activity = Activity.SCENARIO,
) -> TrialSpec:
    """A trial of six seconds, unless another scenario is given."""
    return TrialSpec(
        provider=provider,
        model=model,
        chunk_seconds=chunk_seconds,
        scenario=scenario or scenario_of(6.0),
        corpus=str(corpus),
        clock=clock,
        settings=settings or {},
        seed=seed,
        activity=activity,
    )


class Observer:
    """Follows a run; `at_event` is called with each event."""

    def __init__(self, at_event: Callable[[Event], None] = lambda event: None) -> None:
        self.event = at_event
        self.began: list[TrialSpec] = []
        self.ended: list[TrialEnded] = []

    def trial_begins(self, spec: TrialSpec, number: int, of: int) -> None:
        self.began.append(spec)

    def trial_ends(self, ended: TrialEnded) -> None:
        self.ended.append(ended)


def run_of(
    specs: Sequence[TrialSpec], journal: Path, timeouts: Timeouts = DEFAULT
) -> list[TrialRecord]:
    """Measure trials with real workers, and read the journal that this leaves.

    A trial that a busy machine made void is measured a second time: it said nothing.
    """
    pool, writer = WorkerPool(timeouts), JournalWriter(journal)
    try:
        measure_all(specs, pool, writer, Observer())
        writer.sync()
        first = list(read_journal(journal))
        void = [n for n, record in enumerate(first)
                if record.ended and record.ended.status is TrialStatus.VOID]  # fmt: skip
        measure_all([first[n].started.spec for n in void], pool, writer, Observer())
    finally:
        pool.close()
        writer.close()
    again = read_journal(journal)[len(first) :]
    return [again[void.index(n)] if n in void else record for n, record in enumerate(first)]


def run_command(
    command: Sequence[str | Path],
    runs: Path,
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
    timeout_s: float = 300.0,
) -> tuple[int, str, TrialRecord]:
    """Measure one trial by a command; what a busy machine made void is measured again, twice.

    Returns:
        The exit status, what was printed, and the trial.
    """
    done, record = None, None
    for resume in ((), ("--resume", "latest"), ("--resume", "latest")):
        done = subprocess.run(
            [*command, *resume], cwd=cwd, env=env or dict(os.environ), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        journal = runs / "latest" / "journal.jsonl"
        assert journal.exists(), done.stdout
        record = read_journal(journal)[-1]
        assert record.ended is not None, done.stdout
        if record.ended.status is not TrialStatus.VOID:
            break
    assert done is not None
    assert record is not None
    return done.returncode, done.stdout, record
