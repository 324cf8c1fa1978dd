"""Does nothing but take chunks and account for them."""

from collections.abc import AsyncIterator

from harness.activities.startup import SESSION as PROBE
from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.contract import ASRSegment, AudioSource, SessionConfig
from harness.provider.resident import ResidentProvider, Session


class Null(ResidentProvider):
    """Also the base of the faulty ones, which override `heard` and the like."""

    name = "null"

    def load(self, config: SessionConfig) -> None:
        pass

    def unload(self) -> None:
        pass

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        session = self.open_stream(source, sample_rate)
        account = session.audio[source]
        chunk = 0
        try:
            async for pcm in pcm_stream:
                self.check_running(session, source)
                account.received += len(pcm) // BYTES_PER_SAMPLE
                async for segment in self.heard(session, source, chunk):
                    yield segment
                account.skipped = account.received
                chunk += 1
        finally:
            session.streaming.discard(source)

    async def heard(
        self, session: Session, source: AudioSource | None, chunk: int
    ) -> AsyncIterator[ASRSegment]:
        nothing: tuple[ASRSegment, ...] = ()
        for segment in nothing:
            yield segment

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        return []


def is_probe(session: Session) -> bool:
    """Tell the first utterance, right after loading, from a trial."""
    return session.session_id == PROBE
