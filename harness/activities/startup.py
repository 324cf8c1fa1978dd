"""Measures a provider outside a scenario: loading and a first utterance, or a single chunk."""

from collections.abc import AsyncIterator, Sequence

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import now_s
from harness.contract import ASRProvider, SessionConfig
from harness.journal.events import Loaded
from harness.provider.attribution import provider_errors
from harness.provider.output_checks import checked_segment
from harness.provider.recording import RecordingObserver
from harness.session.session import start_session
from harness.timeline.corpus import CorpusUtterance

SESSION = "probe"


async def stream_of(pcm: Pcm16) -> AsyncIterator[bytes]:
    """Yield one chunk as a stream."""
    yield pcm.tobytes()


async def load_and_probe(
    provider: ASRProvider, model: str, utterance: CorpusUtterance, spawned_s: float
) -> Loaded:
    """Load the model, and recognise a first utterance as a single chunk.

    Both count as start-up, because an engine may postpone work until the first chunk.

    Raises:
        ProviderError, ModelError, UnavailableError: As the provider raised them.
    """
    pcm = utterance.read()
    observer = RecordingObserver()
    text, answered_s = "", None
    begin_s = now_s()
    with provider_errors(provider.name):
        await start_session(provider, SESSION, SessionConfig(model=model, observer=observer))
        loaded_s = now_s()
        async for segment in provider.transcribe_stream(stream_of(pcm)):
            text = checked_segment(segment, None, f"{provider.name}, first utterance").text
            answered_s = answered_s or now_s()
        await provider.stop_session(SESSION)
    return Loaded(
        spawn_s=spawned_s,
        load_s=loaded_s - begin_s,
        probe_s=None if answered_s is None else answered_s - loaded_s,
        probe_text=text,
        probe_inference_s=tuple(float(span.end_s - span.begin_s) for span in observer.spans),
        probe_window_s=tuple(float(span.window_s) for span in observer.spans),
        interruptions=tuple(observer.interruptions),
    )


async def infer_chunk(
    provider: ASRProvider, model: str, utterances: Sequence[CorpusUtterance], chunk_seconds: float
) -> None:
    """Recognise one chunk of speech, in a session of its own.

    Raises:
        ProviderError: As the provider raised it.
    """
    length = round(chunk_seconds * SAMPLE_RATE_HZ)
    chunk = speech_of(utterances, length)[:length]
    config = SessionConfig(model=model, chunk_seconds=chunk_seconds)
    with provider_errors(provider.name):
        await start_session(provider, SESSION, config)
        async for _ in provider.transcribe_stream(stream_of(chunk)):
            pass
        await provider.stop_session(SESSION)


def speech_of(utterances: Sequence[CorpusUtterance], samples: int) -> Pcm16:
    """Join utterances until they have at least so many samples, or all of them."""
    parts: list[Pcm16] = []
    for utterance in utterances:
        if sum(map(len, parts)) >= samples:
            break
        parts.append(utterance.read())
    return np.concatenate(parts)
