"""Streams one source through a voxtral.c process, and repeats audio that it missed.

After the process resets itself, it uses the next audio as its prompt, even if it is speech. So that
part of the utterance is fed again.
"""

from collections.abc import Awaitable, Callable

from harness.audio import SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.contract import InferenceSpan
from providers.streaming.feedthrough import EngineStream, EngineText, FeedThroughStream
from providers.streaming.segmenter import Limits
from providers.voxtral.answers import Step
from providers.voxtral.fed_audio import FedAudio
from providers.voxtral.pace import DELAY_S
from providers.voxtral.process import VoxtralProcess

LIMITS = Limits(pause_s=0.6, tail_s=0.6, longest_s=30.0)
SILENT_END = round(LIMITS.tail_s * SAMPLE_RATE_HZ)
"""Samples of silence at the end of an utterance."""
MAX_REPEATS = 3


class VoxtralStream(EngineStream):
    """See the module.

    Args:
        process: Its process, which no other stream uses.
        listener: Gets the text and the errors.
        report: Gets the process' steps.
        discard: Called with a process that failed.
    """

    confirms = True

    def __init__(
        self,
        process: VoxtralProcess,
        listener: FeedThroughStream,
        report: Callable[[InferenceSpan], None],
        discard: Callable[[VoxtralProcess], Awaitable[None]],
    ) -> None:
        self._process, self._listener = process, listener
        self._report, self._discard = report, discard
        self._utterance: FedAudio | None = None
        self._text = ""
        self._confirmed = 0

    async def feed(self, samples: Samples) -> None:
        """See `EngineStream`."""
        if self._utterance is None:
            await self._process.begin_utterance()
            self._utterance, self._text, self._confirmed = FedAudio(), "", 0
        await self._repeat_unheard(self._utterance)
        pcm = to_pcm16(samples).tobytes()
        self._utterance.add(self._process.fed, pcm)
        await self._process.feed(pcm)

    async def flush(self) -> None:
        """See `EngineStream`."""
        if (utterance := self._utterance) is None:
            return
        await self._process.flush()
        for _ in range(MAX_REPEATS):
            if not await self._repeat_unheard(utterance, longer_than=SILENT_END):
                break
            await self._process.flush()
        self._utterance = None
        self._confirm(utterance.samples)
        self._listener.on_text(EngineText(self._text, is_final=True))
        await self._process.renew()

    async def close(self) -> None:
        """See `EngineStream`."""
        self._process.detach()
        if not self._process.is_usable:
            await self._discard(self._process)

    def on_text(self, text: str, taken: int) -> None:
        """See `Listener`; text follows the audio with a delay, which its times correct."""
        if self._utterance is not None:
            self._text += text
            end = self._utterance.place(taken - round(DELAY_S * SAMPLE_RATE_HZ))
            self._listener.on_text(EngineText(self._text, span_s=(0.0, end / SAMPLE_RATE_HZ)))

    def on_step(self, step: Step, taken: int) -> None:
        """See `Listener`."""
        source, window_s = self._listener.source, step.samples / SAMPLE_RATE_HZ
        self._report(InferenceSpan(source, step.begin_s, step.end_s, window_s))
        if self._utterance is not None:
            self._confirm(self._utterance.place(taken))

    def fail(self, error: Exception) -> None:
        """See `Listener`."""
        self._listener.fail(error)

    async def _repeat_unheard(self, utterance: FedAudio, longer_than: int = 0) -> bool:
        """Feed again what the process used as its prompt; return whether that was necessary."""
        if (since := self._process.prompt_since) is None:
            return False
        begin = utterance.place(since)
        if utterance.samples - begin <= longer_than:
            return False
        await self._process.prime()
        await self._process.feed(utterance.again(self._process.fed, begin))
        return True

    def _confirm(self, samples: int) -> None:
        if samples > self._confirmed:
            self._listener.confirm(samples - self._confirmed)
            self._confirmed = samples
