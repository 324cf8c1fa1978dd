"""What the harness adds to the engine: the same windows, through a trial and directly.

Limit: a ratio of 1.03 in inference time. Both ways run in turn in one process, so a machine that
slows down slows both.
"""

import math
import statistics
import time
from collections.abc import Callable

import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness import clock
from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.clock import ClockKind
from harness.contract import Word
from harness.events import Event, Inferred
from harness.registry import find_corpus
from harness.scenario import find_scenario
from harness.session import run_session
from harness.timeline import build_timeline
from harness.trial import TrialSpec
from providers.faster_whisper import FasterWhisper
from providers.policies.threads import cpu_threads
from providers.policies.whisper import most_tokens
from providers.policies.windowed import WindowedProvider
from providers.whisper_cpp import SHORTEST_S, WhisperCpp

PAIRS = 9
AUDIO_S = 60.0
LIMIT = 1.03

Window = tuple[Samples, bool]


class WhisperCppRecorded(WhisperCpp):
    """Keeps the windows that it decodes."""

    windows: list[Window]

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        self.windows.append((samples, is_final))
        return super().decode(samples, is_final=is_final)


class FasterWhisperRecorded(FasterWhisper):
    """Keeps the windows that it decodes."""

    windows: list[Window]

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        self.windows.append((samples, is_final))
        return super().decode(samples, is_final=is_final)


def whisper_cpp_alone() -> Callable[[Window], object]:
    from pywhispercpp.model import Model

    path = WhisperCpp().locate_model("embedded")
    model = Model(str(path), n_threads=cpu_threads(None), print_progress=False)

    def decode(window: Window) -> object:
        samples, _ = window
        length_s = max(SHORTEST_S, len(samples) / SAMPLE_RATE_HZ)
        return model.transcribe(
            samples,
            language="en",
            audio_ctx=math.ceil(length_s * 50) + 64,
            max_tokens=most_tokens(length_s),
            no_context=True,
            temperature_inc=0.0,
            token_timestamps=True,
            max_len=1,
            split_on_word=True,
        )

    return decode


def faster_whisper_alone() -> Callable[[Window], object]:
    from faster_whisper import WhisperModel

    path = FasterWhisper().locate_model("embedded")
    model = WhisperModel(str(path), cpu_threads=cpu_threads(None), local_files_only=True)
    encode = model.encode

    def decode(window: Window) -> object:
        samples, _ = window
        frames = 2 * (math.ceil(len(samples) / SAMPLE_RATE_HZ * 50) + 64)
        model.encode = lambda features: encode(features[:, :frames])
        segments, _ = model.transcribe(
            samples,
            language="en",
            beam_size=1,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
            max_new_tokens=most_tokens(len(samples) / SAMPLE_RATE_HZ),
        )
        return list(segments)

    return decode


@pytest.mark.parametrize(
    ("recorded", "alone"),
    [(WhisperCppRecorded, whisper_cpp_alone), (FasterWhisperRecorded, faster_whisper_alone)],
    ids=["whisper_cpp", "faster_whisper"],
)
def bench_engine_overhead(
    benchmark: BenchmarkFixture,
    recorded: type[WindowedProvider],
    alone: Callable[[], Callable[[Window], object]],
) -> None:
    scenario = msgspec.structs.replace(find_scenario("A"), duration_s=AUDIO_S)
    spec = TrialSpec(
        provider=recorded.name,
        model="embedded",
        chunk_seconds=2.0,
        scenario=scenario,
        corpus="embedded",
        clock=ClockKind.VIRTUAL,
    )
    tracks = build_timeline(scenario, find_corpus("embedded"), seed=1)
    provider = recorded()
    windows: list[Window] = []
    provider.windows = windows  # type: ignore[attr-defined]
    decode = alone()

    def through_harness() -> float:
        windows.clear()
        events: list[Event] = []
        clock.run(run_session(provider, spec, tracks, events.append), spec.clock)
        return sum(event.end_s - event.begin_s for event in events if isinstance(event, Inferred))

    def directly() -> float:
        begin_s = time.perf_counter()
        for window in windows:
            decode(window)
        return time.perf_counter() - begin_s

    ratios: list[float] = []

    def one_pair() -> None:
        ratios.append(through_harness() / directly())

    benchmark.pedantic(one_pair, rounds=PAIRS, warmup_rounds=1)  # type: ignore[no-untyped-call]
    ratio = statistics.median(ratios[1:])
    benchmark.extra_info["harness_over_engine"] = round(ratio, 4)
    print(
        f"\n{recorded.name}: {ratio:.3f} x the engine alone, {len(windows)} windows, limit {LIMIT}"
    )
    assert ratio <= LIMIT, f"pairs: {[round(each, 3) for each in ratios]}"
