"""Trials on loopback services, many at once in this process, as a worker would run each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.clock import ClockKind
from harness.contract import AudioSource, Option
from harness.errors import EchobenchError
from harness.journal.events import Event, Interrupted, SegmentArrived
from harness.provider.registry import find_corpus, make_provider
from harness.provider.timeouts import Timeouts
from harness.session.session import run_session
from harness.specs.scenario import SourceScript
from harness.specs.trial import TrialSpec, TrialStatus, status_of
from harness.timeline.corpus import CorpusUtterance
from harness.timeline.timeline import build_timeline
from tests.trials import lexicon_of, scenario_of, spec_of
from tests.vendors.loopback import Loopback

SENTENCES = ("open the door please", "stop here now", "we meet next week")
LEXICON = lexicon_of(SENTENCES)
VENDORS = {"openai_api": "openai", "voxtral_api": "mistral"}
MODES = ("realtime", "file")
AT_ONCE = 48
TIMEOUTS = Timeouts(answer_s=30, stop_s=10)
THRICE: dict[str, Option] = {"attempts": 3}


@dataclass(frozen=True)
class Case:
    """A provider on a lane."""

    provider: str
    mode: str
    lane: str
    settings: Mapping[str, Option] = field(default_factory=dict)
    duration_s: float = 2.0
    sources: int = 1
    first: int = 1
    """The first utterance at which the lane shows its fault."""

    @property
    def name(self) -> str:
        return f"{self.provider}-{self.mode}-{self.lane}"


@dataclass
class Outcome:
    """How a case ended."""

    status: TrialStatus
    reason: str
    events: list[Event]
    lane: str
    spec: TrialSpec

    @property
    def text(self) -> str:
        """What the finals say, one after another."""
        said = [event.segment for event in self.events if isinstance(event, SegmentArrived)]
        return " ".join(segment.text for segment in said if segment.is_final)

    @property
    def waits(self) -> list[Interrupted]:
        return [event for event in self.events if isinstance(event, Interrupted)]


def spec_for(case: Case, services: Loopback, corpus: Path | str, lane: str) -> TrialSpec:
    settings: dict[str, Option] = {
        **THRICE, **case.settings, "mode": case.mode,
        "base_url": services.url(lane, VENDORS[case.provider]),
    }  # fmt: skip
    names = (AudioSource.MIC, AudioSource.SYSTEM)[: case.sources]
    sources = [SourceScript(name=name, gap_s=(0.7, 0.8)) for name in names]
    model = make_provider(case.provider, settings).default_model
    return spec_of(
        case.provider, corpus, settings, clock=ClockKind.WALL, chunk_seconds=0.5, model=model,
        scenario=scenario_of(case.duration_s, *sources),
    )  # fmt: skip


async def outcomes(cases: Sequence[Case], services: Loopback, corpus: Path) -> dict[str, Outcome]:
    """Run all cases, and return how each ended, by name."""
    room, utterances = asyncio.Semaphore(AT_ONCE), find_corpus(str(corpus))

    async def one(case: Case) -> Outcome:
        async with room:
            return await outcome(case, services, corpus, utterances)

    ended = await asyncio.gather(*map(one, cases))
    return {case.name: outcome for case, outcome in zip(cases, ended, strict=True)}


async def outcome(
    case: Case, services: Loopback, corpus: Path, utterances: list[CorpusUtterance]
) -> Outcome:
    lane = services.lane(case.lane)
    services.seen[lane].lane = replace(services.seen[lane].lane, first=case.first)
    spec = spec_for(case, services, corpus, lane)
    provider = make_provider(case.provider, dict(spec.settings))
    tracks = build_timeline(spec.scenario, utterances, spec.seed)
    events: list[Event] = [utterance for track in tracks for utterance in track.truth]
    status, reason = TrialStatus.OK, ""
    try:
        await run_session(provider, spec, tracks, events.append, TIMEOUTS)
    except EchobenchError as error:
        status, reason = status_of(error), str(error)
    await provider.close()
    return Outcome(status, reason, events, lane, spec)
