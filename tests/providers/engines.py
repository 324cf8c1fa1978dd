"""Real engines on real speech: the embedded model and corpus, in this process or in a child."""

import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness.activities.conformance import RULES, conform
from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import ClockKind, run
from harness.contract import (
    NULL_OBSERVER,
    ASRProvider,
    ASRSegment,
    AudioSource,
    Observer,
    SessionConfig,
)
from harness.journal.events import Event, RuleChecked
from harness.provider.registry import find_corpus, make_provider
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import Activity, TrialSpec
from harness.timeline.corpus import CorpusUtterance
from providers.models.threads import wait_without_spinning

wait_without_spinning()  # before a test module loads an engine, as each provider does by itself
ROOT = Path(__file__).parents[2]
PAUSE = np.zeros(SAMPLE_RATE_HZ, np.int16)


@cache
def shortest(count: int) -> list[CorpusUtterance]:
    """The shortest utterances of at least three words; each decode costs less."""
    several_words = [entry for entry in find_corpus("embedded") if len(entry.text.split()) >= 3]
    return sorted(several_words, key=lambda entry: entry.duration_s)[:count]


def with_pauses(*utterances: CorpusUtterance) -> Pcm16:
    parts = [part for entry in utterances for part in (PAUSE, entry.read())]
    return np.concatenate([*parts, PAUSE])


async def chunks(pcm: Pcm16, chunk_s: float) -> AsyncIterator[bytes]:
    size = round(chunk_s * SAMPLE_RATE_HZ)
    for begin in range(0, len(pcm), size):
        yield pcm[begin : begin + size].tobytes()


async def hear(
    provider: ASRProvider, pcm: Pcm16, source: AudioSource | None = None, chunk_s: float = 1.0
) -> list[ASRSegment]:
    stream = provider.transcribe_stream(chunks(pcm, chunk_s), source=source)
    return [segment async for segment in stream]


def text_of(segments: Sequence[ASRSegment]) -> str:
    return " ".join(segment.text for segment in segments if segment.is_final)


@asynccontextmanager
async def session(
    name: str, model: str = "embedded", *, observer: Observer = NULL_OBSERVER, **options: Any
) -> AsyncIterator[ASRProvider]:
    """A provider in a session, closed at the end."""
    provider = make_provider(name, options)
    assert await provider.start_session("test", SessionConfig(model=model, observer=observer))
    try:
        yield provider
        await provider.stop_session("test")
    finally:
        await provider.close()


def failed_rules(
    name: str, clock: ClockKind, speech: list[CorpusUtterance], model: str = "embedded"
) -> list[RuleChecked]:
    """Try every rule of the contract on a provider; return what it broke."""
    events: list[Event] = []

    async def body() -> None:
        provider = make_provider(name, {})
        await conform(provider, spec(name, clock, model), speech, events.append)
        await provider.close()

    run(body(), clock)
    checks = {event.check: event for event in events if isinstance(event, RuleChecked)}
    assert set(checks) == set(RULES)
    return [check for check in checks.values() if not check.passed]


def spec(name: str, clock: ClockKind, model: str = "embedded") -> TrialSpec:
    scenario = Scenario(
        title="rules",
        duration_s=1.0,
        sources=(SourceScript(name=AudioSource.MIC, gap_s=(0.0, 0.0)),),
    )
    return TrialSpec(
        provider=name,
        model=model,
        chunk_seconds=1.0,
        scenario=scenario,
        corpus="embedded",
        clock=clock,
        activity=Activity.CONFORMANCE,
    )


def in_child(body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `async def main(*arguments)` whose body is given, in a Python of its own."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    script = (
        "import asyncio, sys\n"
        "from tests.providers.engines import *\n"
        f"async def main(*arguments):\n{lines}\n"
        "asyncio.run(main(*sys.argv[1:]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def refusals(name: str, models: Sequence[Path]) -> list[str]:
    """Try to start a session with each model in a child process; return its answers in order.

    An answer is the error's type and text, or "ready". Short of a crash, that is: the child's end
    is checked.
    """
    child = in_child(
        """
name, *models = arguments
for model in models:
    provider = make_provider(name, {})
    try:
        await provider.start_session("test", SessionConfig(model=model))
        print("ready")
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    await provider.close()
""",
        name,
        *map(str, models),
    )
    assert child.returncode == 0, f"{child.stdout[-500:]}\n{child.stderr[-500:]}"
    answers = child.stdout.splitlines()
    assert len(answers) == len(models), child.stdout
    return answers
