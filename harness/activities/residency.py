"""Probes from outside whether a provider's model stays resident, with streams of one chunk each.

First the same order of lengths three times, each chunk of new speech; then pairs of a repeated and
a slightly altered chunk; then the same chunks before and after the model's file is moved away. The
figures are in `harness.metrics.residency_probe`.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import psutil

from harness.activities.startup import speech_of, stream_of
from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import now_s
from harness.contract import ASRProvider, SessionConfig
from harness.errors import EchobenchError
from harness.journal.events import Event, ResidencyChunk, ResidencyEnded, ResidencyPart
from harness.meters.audit_hook import AUDIT_HOOK
from harness.meters.resources import LOOK_FOR_CHILDREN_EVERY, ResourceMeter
from harness.provider.attribution import provider_errors
from harness.provider.output_checks import checked_segment
from harness.provider.recording import RecordingObserver
from harness.session.session import start_session
from harness.specs.trial import TrialSpec
from harness.timeline.corpus import CorpusUtterance

SESSION = "residency"
LENGTHS_S = (0.5, 1.0, 2.0, 4.0)
OF_EACH = 16
REPEATS = 3
PAIRS = 16
PAIR_S = 2.0
LOUDER, NOISE = 1.03, 12.0
"""How speech is altered, inaudibly: a gain, and noise in steps of 16-bit samples."""
AFTER_VANISHING = 20
CONTEXT = 4
SPEECH_S = 120.0
LARGEST_COPY = 2 << 30
"""Bytes; of a larger model that can't be linked, no copy is made."""


class ResidencyProbe:
    """Streams chunks to a provider and emits the time and resources that each took."""

    def __init__(self, provider: ASRProvider, emit: Callable[[Event], None]) -> None:
        self._provider, self._emit = provider, emit
        self._observer = RecordingObserver()
        self._meter, self._reads = ResourceMeter(), ReadMeter()

    async def recognise(
        self, part: ResidencyPart, repeat: int, index: int, pcm: Pcm16, *, may_fail: bool = False
    ) -> None:
        """Recognise a chunk in a stream of its own.

        Raises:
            EchobenchError: The provider failed and `may_fail` is not set.
        """
        self._observer.spans.clear()
        read, effects = self._reads.bytes_read(), AUDIT_HOOK.side_effects()
        text, error = "", ""
        begin_s = now_s()
        try:
            with provider_errors(self._provider.name):
                text = await self._text_of(pcm)
        except EchobenchError as failure:
            if not may_fail:
                raise
            error = str(failure)
        took_s = now_s() - begin_s
        effects_after, read_after = AUDIT_HOOK.side_effects(), self._reads.bytes_read()
        self._emit(
            ResidencyChunk(
                part=part,
                repeat=repeat,
                index=index,
                audio_s=len(pcm) / SAMPLE_RATE_HZ,
                took_s=took_s,
                inference_s=sum(span.end_s - span.begin_s for span in self._observer.spans),
                text=text,
                error=error,
                read_bytes=None if read is None or read_after is None else read_after - read,
                spawns=effects_after.spawns - effects.spawns,
                files_created=effects_after.files_created - effects.files_created,
                rss_bytes=self._meter.read().rss_bytes,
            )
        )

    async def start(self, model: str) -> None:
        """Start a session with a model.

        Raises:
            EchobenchError: The provider failed, or refused.
        """
        config = SessionConfig(model=model, observer=self._observer)
        await start_session(self._provider, SESSION, config)

    async def stop(self) -> None:
        """Stop the session.

        Raises:
            EchobenchError: The provider failed.
        """
        with provider_errors(self._provider.name):
            await self._provider.stop_session(SESSION)

    async def _text_of(self, pcm: Pcm16) -> str:
        finals = []
        where = f"{self._provider.name}, residency"
        async for segment in self._provider.transcribe_stream(stream_of(pcm)):
            checked = checked_segment(segment, None, where)
            if checked.is_final:
                finals.append(checked.text)
        return " ".join(finals)


async def probe_residency(
    provider: ASRProvider,
    spec: TrialSpec,
    utterances: Sequence[CorpusUtterance],
    emit: Callable[[Event], None],
) -> None:
    """Run the probe; the provider has no session before and after it.

    Raises:
        EchobenchError: The provider failed while its model's file was in place.
    """
    generator = np.random.default_rng([spec.seed, 3000])
    speech = _speech(utterances)
    order = generator.permutation(np.repeat(LENGTHS_S, OF_EACH)).tolist()
    probe = ResidencyProbe(provider, emit)
    await probe.start(spec.model)
    known: list[Pcm16] = []
    for repeat, (index, length_s) in product(range(REPEATS), enumerate(order)):
        pcm = _piece(speech, length_s, generator)
        await probe.recognise(ResidencyPart.STEADY, repeat, index, pcm)
        if length_s == PAIR_S:
            known.append(pcm)
    for index, pcm in enumerate(known[:PAIRS]):
        await probe.recognise(ResidencyPart.AGAIN, 0, index, pcm)
        await probe.recognise(ResidencyPart.ALTERED, 0, index, _altered(pcm, generator))
    await probe.stop()
    path = await asyncio.to_thread(provider.locate_model, spec.model)
    if path is None:
        emit(ResidencyEnded(model_bytes=None, vanish="the model has no file on this machine"))
        return
    vanish = await _vanish(probe, path, speech, generator)
    emit(ResidencyEnded(model_bytes=_size(path), vanish=vanish))


async def _vanish(
    probe: ResidencyProbe, path: Path, speech: Pcm16, generator: np.random.Generator
) -> str:
    """Load a copy of the model, move it away and continue; return why that can't be done, or ""."""
    pieces = [_piece(speech, LENGTHS_S[at % len(LENGTHS_S)], generator)
              for at in range(AFTER_VANISHING)]  # fmt: skip
    with _copy_of(path) as copy:
        if copy is None:
            return f"{path} can't be linked, and is too large to copy"
        await probe.start(str(copy))
        for index, pcm in enumerate(pieces[-CONTEXT:]):  # before both rounds comes the same audio
            await probe.recognise(ResidencyPart.WARM_UP, 0, index, pcm)
        for index, pcm in enumerate(pieces):
            await probe.recognise(ResidencyPart.COPY, 0, index, pcm)
        copy.rename(copy.with_name("gone-" + copy.name))
        for index, pcm in enumerate(pieces):
            await probe.recognise(ResidencyPart.VANISHED, 0, index, pcm, may_fail=True)
        await probe.stop()
    return ""


def _speech(utterances: Sequence[CorpusUtterance]) -> Pcm16:
    joined = speech_of(utterances, round(SPEECH_S * SAMPLE_RATE_HZ))
    least = round(2 * max(LENGTHS_S) * SAMPLE_RATE_HZ)
    return np.tile(joined, -(-least // len(joined)))


def _piece(speech: Pcm16, length_s: float, generator: np.random.Generator) -> Pcm16:
    count = round(length_s * SAMPLE_RATE_HZ)
    begin = int(generator.integers(0, len(speech) - count))
    return speech[begin : begin + count]


def _altered(pcm: Pcm16, generator: np.random.Generator) -> Pcm16:
    noise = NOISE * generator.standard_normal(len(pcm))
    return np.clip(np.rint(LOUDER * pcm + noise), -32_768, 32_767).astype(np.int16)


@contextmanager
def _copy_of(path: Path) -> Iterator[Path | None]:
    """Yield a second path to the same files or a copy of them; None where neither is possible."""
    with tempfile.TemporaryDirectory(prefix="echobench-") as folder:
        copy = Path(folder) / path.name
        copied = False
        try:
            _duplicate(path.resolve(), copy, os.link)
            copied = True
        except OSError:  # another file system, or one without links
            if _size(path) <= LARGEST_COPY:
                shutil.rmtree(copy, ignore_errors=True)
                _duplicate(path.resolve(), copy, shutil.copyfile)
                copied = True
        yield copy if copied else None


def _duplicate(path: Path, copy: Path, one: Callable[[Path, Path], object]) -> None:
    if not path.is_dir():
        one(path, copy)
        return
    copy.mkdir()
    for child in path.iterdir():
        _duplicate(child.resolve(), copy / child.name, one)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


class ReadMeter:
    """Adds up the bytes that this process and its children have read, from disk or page cache.

    Listing the children takes milliseconds, so it is done after a spawn and once in a while.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._children: list[psutil.Process] = []
        self._readings = self._spawns = 0

    def bytes_read(self) -> int | None:
        """Bytes so far; None where the system doesn't count them."""
        if not hasattr(self._process, "io_counters"):
            return None
        spawns = AUDIT_HOOK.side_effects().spawns
        if spawns != self._spawns or self._readings % LOOK_FOR_CHILDREN_EVERY == 0:
            self._children, self._spawns = self._process.children(recursive=True), spawns
        self._readings += 1
        total = 0
        for each in (self._process, *self._children):
            try:
                total += each.io_counters().read_chars
            except psutil.NoSuchProcess:
                continue  # its count was added to its parent's
            except (psutil.Error, OSError, AttributeError):
                return None
        return total
