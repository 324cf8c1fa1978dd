"""Says exactly what was said, at a known schedule; takes a known time for each chunk."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import msgspec

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.clock import now_s, sleep_until
from harness.contract import ASRSegment, AudioSource, ProviderSettings, SessionConfig, Word
from harness.journal.events import Utterance
from harness.provider.resident import ResidentProvider, Session


class OracleSettings(ProviderSettings, frozen=True, kw_only=True):
    script: str = ""
    """A JSON file with a list of `Utterance`s: what each source says, and when."""
    transcript: str = ""
    """What to say at the end of a source of which the script knows nothing."""
    word_delay_s: float = 0.25
    """From the end of a word to the partial that shows it; needn't be as long as a chunk."""
    final_delay_s: float = 0.5
    """From the end of an utterance to its final, which has to be due before the next word is."""
    infer_s: float = 0.02
    """How long the engine takes for a chunk, waiting and not computing."""


class Origin:
    """When a stream's first sample was captured; the chunk that came soonest tells best."""

    def __init__(self) -> None:
        self.at_s = math.inf
        self.known = asyncio.Event()

    def seen(self, at_s: float) -> None:
        self.at_s = min(self.at_s, at_s)
        self.known.set()


class Oracle(ResidentProvider):
    name = "oracle"
    Settings = OracleSettings
    settings: OracleSettings

    def load(self, config: SessionConfig) -> None:
        script = self.settings.script
        content = Path(script).read_bytes() if script else b"[]"
        self._script = msgspec.json.decode(content, type=list[Utterance])

    def unload(self) -> None:
        del self._script

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        session, origin = self.open_stream(source, sample_rate), Origin()
        listening = asyncio.create_task(self._listen(session, source, pcm_stream, origin))
        try:
            await origin.known.wait()
            spoken = [utterance for utterance in self._script if utterance.source == source]
            for at_s, segment in self._schedule(spoken):
                await sleep_until(origin.at_s + at_s)
                yield segment
            await listening
            if not spoken and self.settings.transcript:
                yield self._last_word(session, source)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            session.streaming.discard(source)

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        return []

    async def _listen(
        self,
        session: Session,
        source: AudioSource | None,
        pcm_stream: AsyncIterator[bytes],
        origin: Origin,
    ) -> None:
        account = session.audio[source]
        async for pcm in pcm_stream:
            samples = len(pcm) // BYTES_PER_SAMPLE
            account.received += samples
            origin.seen(now_s() - account.received / SAMPLE_RATE_HZ)
            length_s = samples / SAMPLE_RATE_HZ
            await self.infer(session, source, length_s, lambda: time.sleep(self.settings.infer_s))
            account.decoded += samples
        origin.known.set()

    def _schedule(self, spoken: list[Utterance]) -> Iterator[tuple[float, ASRSegment]]:
        for number, utterance in enumerate(spoken):
            words = utterance.words or ()
            revisions = count()
            for end in range(1, len(words) + 1):
                shown = words[:end]
                at_s = shown[-1].t1 + self.settings.word_delay_s
                yield at_s, _segment(utterance, number, next(revisions), shown, is_final=False)
            at_s = utterance.t1 + self.settings.final_delay_s
            yield at_s, _segment(utterance, number, next(revisions), words, is_final=True)

    def _last_word(self, session: Session, source: AudioSource | None) -> ASRSegment:
        heard_s = session.audio[source].received / SAMPLE_RATE_HZ
        return ASRSegment(
            source=source, segment_id=0, revision=0, is_final=True, t0=0.0, t1=heard_s,
            text=self.settings.transcript,
        )  # fmt: skip


def _segment(
    utterance: Utterance, number: int, revision: int, words: tuple[Word, ...], *, is_final: bool
) -> ASRSegment:
    return ASRSegment(
        source=utterance.source,
        segment_id=number,
        revision=revision,
        is_final=is_final,
        text=utterance.text if is_final else " ".join(word.text for word in words),
        t0=utterance.t0,
        t1=utterance.t1,
        words=words,
        stable_words=len(words),
    )
