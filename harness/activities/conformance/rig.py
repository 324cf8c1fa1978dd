"""Test rig for the contract's rules: a provider in a session, and speech."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import msgspec

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.contract import ASRProvider, ASRSegment, AudioSource, SessionConfig
from harness.errors import ProviderError
from harness.provider.recording import RecordingObserver

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM
SESSION: Final = "conformance"


class BrokenRuleError(ProviderError):
    """The provider broke a rule of the contract; its text is the fact that shows it."""

    def __init__(self, fact: str) -> None:
        super().__init__("conformance", fact)


@dataclass
class ContractRig:
    """A provider in a session, with speech to play to it."""

    provider: ASRProvider
    config: SessionConfig
    speech: list[Pcm16]
    """Utterances with a second of silence after each."""
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    """Collects the inferences that the provider reports in the rig's sessions."""
    closed: bool = False
    """Whether a rule has closed the provider for good."""

    async def listen(
        self, pcm: Pcm16, source: AudioSource = MIC, chunk_s: Sequence[float] = (1.0,)
    ) -> list[ASRSegment]:
        """Stream audio as fast as the provider takes it, and collect the segments."""
        stream = self.provider.transcribe_stream(chunks(pcm, chunk_s), source=source)
        return [segment async for segment in stream]

    async def restart(self) -> None:
        """Stop the session and start the next."""
        await self.provider.stop_session(SESSION)
        await self.start()

    async def start(self) -> None:
        """Start a session."""
        config = msgspec.structs.replace(self.config, observer=self.observer)
        started = await self.provider.start_session(SESSION, config)
        require(started, "start_session returned False while no session was running")


Rule = Callable[[ContractRig], Awaitable[None]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Add a function to the rules, under its own name."""
    RULES[function.__name__] = function
    return function


def require(holds: bool, problem: str) -> None:
    """Raise `BrokenRuleError` unless the condition holds."""
    if not holds:
        raise BrokenRuleError(problem)


async def chunks(pcm: Pcm16, sizes_s: Sequence[float]) -> AsyncIterator[bytes]:
    """Cut audio into chunks, repeating the sizes in turn."""
    at = 0
    for size_s in cycle(sizes_s):
        if at >= len(pcm):
            return
        size = round(size_s * SAMPLE_RATE_HZ)
        yield pcm[at : at + size].tobytes()
        at += size


def finals(segments: Sequence[ASRSegment]) -> list[ASRSegment]:
    """The finals among segments."""
    return [segment for segment in segments if segment.is_final]


def text_of(segments: Sequence[ASRSegment]) -> str:
    """The text of the finals."""
    return " ".join(segment.text for segment in finals(segments))
