"""The planted defects: what is wrong, where it is tried, and the one threshold that must see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.clock import ClockKind
from harness.contract import Option
from harness.specs.scenario import find_scenario
from harness.specs.trial import Activity, TrialSpec
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import FILE, read_thresholds
from tests.planted.corpus import write_model, write_tones
from tests.trials import run_of

HEALTHY = "healthy"


@dataclass(frozen=True)
class Plant:
    """A provider on a trial."""

    provider: str
    scenario: str = "speech_heavy"
    duration_s: float = 300.0
    chunk_s: float = 2.0
    activity: Activity = Activity.SCENARIO
    vad: str | None = None
    clock: ClockKind = ClockKind.VIRTUAL
    settings: dict[str, Option] = field(default_factory=dict)

    def spec(self, ground: "Ground", seed: int) -> TrialSpec:
        """The trial, as a command line would mean it."""
        scenario = find_scenario(self.scenario)
        settings = {"seed": seed, **self.settings}
        if self.provider == "reads_answers":
            settings["answers"] = str(ground.corpus)
        return TrialSpec(
            provider=self.provider,
            model=str(ground.model),
            chunk_seconds=self.chunk_s,
            scenario=msgspec.structs.replace(scenario, duration_s=self.duration_s),
            corpus=str(ground.corpus),
            clock=self.clock,
            settings=settings,
            seed=seed,
            activity=self.activity,
            vad=self.vad,
        )


@dataclass(frozen=True)
class Defect:
    """A planted defect, and what must see it: a threshold, or a rule of the contract."""

    number: int
    what: str
    plant: Plant
    seen_by: str


@dataclass(frozen=True)
class Ground:
    """The files that trials need."""

    corpus: Path
    model: Path

    @classmethod
    def lay(cls, folder: Path) -> "Ground":
        """Write them."""
        return cls(write_tones(folder), write_model(folder))


def residency(provider: str) -> Plant:
    """The residency probe of a provider."""
    return Plant(provider, activity=Activity.RESIDENCY)


DEFECTS = (
    Defect(1, "reads the model for each decode", residency("reads_again"), "residency_reads"),
    Defect(2, "maps the model for each decode", residency("maps_again"), "residency_vanish"),
    Defect(3, "starts a process for each decode", residency("starts_children"), "residency_spawns"),
    Defect(4, "loads again at every tenth stream", residency("reloads_now_and_then"),
           "residency_reads"),
    Defect(5, "loads at the first decode", Plant("loads_late"), "first_vs_steady"),
    Defect(6, "4 ms slower with each decode", residency("slows"), "residency_growth"),
    Defect(7, "keeps 1 MB of each chunk",
           Plant("leaks", "markers", duration_s=1800.0, chunk_s=30.0), "memory_growth"),
    Defect(9, "5 % slower than the audio",
           Plant("falls_behind", duration_s=120.0, chunk_s=1.0), "queue_depth"),
    Defect(10, "drops every fiftieth chunk",
           Plant("drops_a_few", "markers", duration_s=2400.0), "markers_missed"),
    Defect(11, "discards what it says it decoded", Plant("discards", duration_s=60.0),
           "unaccounted_samples"),
    Defect(12, "stands still for 3 s once in 100 chunks",
           Plant("stalls", "markers", duration_s=600.0, chunk_s=0.5), "chunk_latency_p99"),
    Defect(13, "one source's times run 100 ppm fast",
           Plant("drifts", "two_sources", duration_s=600.0), "drift_slope"),
    Defect(14, "all times are 250 ms late", Plant("is_off"), "timestamp_offset"),
    Defect(15, "a filter that cuts the onsets",
           Plant(HEALTHY, "silence_heavy", duration_s=300.0, vad="deaf_to_onsets"),
           "vad_false_rejection"),
    Defect(16, "keeps answers for speech that comes again", residency("remembers"),
           "cache_speedup"),
    Defect(17, "looks the answers up", Plant("reads_answers", duration_s=60.0),
           "references_read"),
    Defect(18, "says nothing, fast", Plant("says_nothing", duration_s=60.0), "wer"),
    Defect(19, "rewrites every partial", Plant("flickers", duration_s=60.0), "erasure"),
    Defect(20, "withholds everything for 2 s", Plant("withholds", "markers", duration_s=400.0),
           "finalization_delay_p50"),
    Defect(21, "tells of half its time", Plant("understates"), "reported_inference_share"),
    Defect(22, "lets a daemon do the work",
           Plant("moves_work", duration_s=12.0, chunk_s=1.0, clock=ClockKind.WALL),
           "detached_cpu"),
    Defect(23, "says each final twice", Plant("repeats", duration_s=60.0), "out_of_order_segments"),
    Defect(24, "leaves a helper behind", Plant("leaves_child", activity=Activity.CONFORMANCE),
           "nothing_is_left_behind"),
    Defect(25, "leaves out each last word", Plant("leaves_out_the_last", "markers"),
           "last_words_missing"),
)  # fmt: skip
"""All but number 8, a slowdown by a fifth: that takes two trees (`tests.planted.slowdown`)."""


def measured(specs: Sequence[TrialSpec], journal: Path) -> dict[str, TrialResult]:
    """Measure trials in real workers, and judge them from the journal, as a run does."""
    return evaluate(run_of(specs, journal), read_thresholds(FILE))
