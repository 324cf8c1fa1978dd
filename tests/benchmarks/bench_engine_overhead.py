"""What the harness and a provider add to the engine: the same work, through a trial and directly.

Limit: a ratio of 1.03 in inference time. Each call of the trial is made again at once, on the same
thread, of two engines that stand alone: the first is what the provider is held to, and the second
against the first tells how far equal things differ here. Engines compute on one thread: on two,
they wait for one another as the scheduler pleases, which moves a call by a third.
"""

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness import clock
from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.clock import ClockKind
from harness.contract import Word
from harness.journal.events import Event, Inferred
from harness.provider.registry import find_corpus
from harness.session.session import run_session
from harness.specs.scenario import find_scenario
from harness.specs.trial import TrialSpec
from harness.timeline.timeline import build_timeline
from providers.faster_whisper import FasterWhisper, FasterWhisperSettings
from providers.models.sphinx import Sphinx, model_files
from providers.parakeet import Parakeet, ParakeetSettings
from providers.pocketsphinx import PocketSphinx, SphinxStream
from providers.sherpa_onnx import MAX_S, PAUSE_S, SherpaOnnx, SherpaOnnxSettings, SherpaStream
from providers.streaming.feedthrough import EngineStream, FeedThroughStream
from providers.streaming.windowed import WindowedProvider
from providers.whisper.base import most_tokens
from providers.whisper_cpp import SHORTEST_S, WhisperCpp, WhisperCppSettings
from tests.providers import parakeet_model, sherpa_model, sphinx_model

ROUNDS = 5
THREADS = 1
AUDIO_S = 60.0
LIMIT = 1.03
BALLAST = 768
"""Makes a frame of a miniature model cost something; a real one costs several times as much."""

Asked = list[Any]


class Case(NamedTuple):
    """A provider that notes what its engine is asked for, and that engine alone."""

    make: Callable[[Asked], Any]
    alone: Callable[[str], Callable[[Any], object]]
    """Takes the model; its result takes what was asked for once."""
    write_model: Callable[[Path], object] | None = None
    """Writes it into a folder; the embedded one where None."""


def noting_windows(provider: WindowedProvider, asked: Asked) -> WindowedProvider:
    decode = provider.decode

    def noted(samples: Samples, *, is_final: bool) -> list[Word]:
        asked.append(samples)
        return decode(samples, is_final=is_final)

    provider.decode = noted  # type: ignore[method-assign]
    return provider


class NotingSherpa(SherpaOnnx):
    def __init__(self, asked: Asked) -> None:
        super().__init__(SherpaOnnxSettings(num_threads=THREADS))
        self.asked = asked

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        return NotingSherpaStream(self, listener, self._recogniser)


class NotingSherpaStream(SherpaStream):
    _provider: NotingSherpa

    def _renew(self, begin: int) -> None:
        super()._renew(begin)
        self._provider.asked.append(None)

    def _advance(self, samples: Samples) -> Any:
        self._provider.asked.append(samples)
        return super()._advance(samples)


class NotingSphinx(PocketSphinx):
    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked = asked

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        stream = await super().open_engine(listener)
        assert isinstance(stream, SphinxStream)
        return NotingSphinxStream(self, listener, stream._child)


class NotingSphinxStream(SphinxStream):
    _provider: NotingSphinx

    async def _ask(self, samples: int, method: str, *arguments: bytes) -> Any:
        self._provider.asked.append((method, arguments))
        return await super()._ask(samples, method, *arguments)


def whisper_cpp_alone(model: str) -> Callable[[Samples], object]:
    from pywhispercpp.model import Model

    path = WhisperCpp().locate_model(model)
    as_is: Any = {"flash_attn": False}
    engine = Model(str(path), n_threads=THREADS, context_params=as_is, print_progress=False)

    def decode(samples: Samples) -> object:
        length_s = max(SHORTEST_S, len(samples) / SAMPLE_RATE_HZ)
        return engine.transcribe(
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


def faster_whisper_alone(model: str) -> Callable[[Samples], object]:
    from faster_whisper import WhisperModel

    path = FasterWhisper().locate_model(model)
    engine = WhisperModel(str(path), cpu_threads=THREADS, local_files_only=True)
    encode = engine.encode

    def decode(samples: Samples) -> object:
        frames = 128 * math.ceil(1 + len(samples) / SAMPLE_RATE_HZ * 50 / 64)
        engine.encode = lambda features: encode(features[:, :frames])
        segments, _ = engine.transcribe(
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


def parakeet_alone(model: str) -> Callable[[Samples], object]:
    import onnx_asr
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    engine = onnx_asr.load_model(
        "nemo-conformer-tdt", model, providers=["CPUExecutionProvider"], sess_options=options
    ).with_timestamps()
    shortest = round(0.5 * SAMPLE_RATE_HZ)

    def decode(samples: Samples) -> object:
        return engine.recognize(np.pad(samples, (0, max(0, shortest - len(samples)))))

    return decode


def sherpa_alone(model: str) -> Callable[[Samples | None], object]:
    """As in sherpa-onnx' own examples."""
    import sherpa_onnx

    recogniser = sherpa_onnx.OnlineRecognizer.from_transducer(
        **{part: f"{model}/{part}.onnx" for part in ("encoder", "decoder", "joiner")},
        tokens=f"{model}/tokens.txt",
        num_threads=THREADS,
        enable_endpoint_detection=True,
        rule1_min_trailing_silence=MAX_S,
        rule2_min_trailing_silence=PAUSE_S,
        rule3_min_utterance_length=MAX_S,
    )
    streams: list[Any] = []

    def decode(samples: Samples | None) -> object:
        if samples is None:
            streams[:] = [recogniser.create_stream()]
            return None
        (stream,) = streams
        stream.accept_waveform(SAMPLE_RATE_HZ, samples)
        while recogniser.is_ready(stream):
            recogniser.decode_stream(stream)
            if recogniser.is_endpoint(stream):
                recogniser.reset(stream)
        return recogniser.get_result(stream)

    return decode


def sphinx_alone(model: str) -> Callable[[tuple[str, tuple[bytes, ...]]], object]:
    """In this process, where it holds the interpreter's lock, and nothing has to be sent."""
    engine = Sphinx(model_files(Path(model)))
    engine.begin()
    return lambda asked: getattr(engine, asked[0])(*asked[1])


CASES = {
    "whisper_cpp": Case(
        partial(noting_windows, WhisperCpp(WhisperCppSettings(n_threads=THREADS))),
        whisper_cpp_alone,
    ),
    "faster_whisper": Case(
        partial(noting_windows, FasterWhisper(FasterWhisperSettings(cpu_threads=THREADS))),
        faster_whisper_alone,
    ),
    "parakeet": Case(
        partial(noting_windows, Parakeet(ParakeetSettings(num_threads=THREADS))),
        parakeet_alone,
        partial(parakeet_model.write_model, ballast=BALLAST),
    ),
    "sherpa_onnx": Case(
        NotingSherpa, sherpa_alone, partial(sherpa_model.write_model, ballast=BALLAST)
    ),
    "pocketsphinx": Case(NotingSphinx, sphinx_alone, sphinx_model.write_model),
}


@pytest.mark.parametrize("name", CASES)
def bench_engine_overhead(benchmark: BenchmarkFixture, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    model = "embedded"
    if case.write_model is not None:
        case.write_model(tmp_path / "model")
        model = str(tmp_path / "model")
    scenario = msgspec.structs.replace(find_scenario("A"), duration_s=AUDIO_S)
    spec = TrialSpec(
        provider=name,
        model=model,
        chunk_seconds=2.0,
        scenario=scenario,
        corpus="embedded",
        clock=ClockKind.VIRTUAL,
    )
    tracks = build_timeline(scenario, find_corpus("embedded"), seed=1)
    asked: Asked = []
    provider = case.make(asked)
    alone = [case.alone(model), case.alone(model)]
    calls_s: list[tuple[float, ...]] = []
    """Of each call: through the harness, of the engine alone, and once more."""

    def ask_again(event: Event) -> None:
        if not isinstance(event, Inferred):
            return
        times_s = []
        for answer in alone:
            begin_s = time.perf_counter()
            for each in asked:
                answer(each)
            times_s.append(time.perf_counter() - begin_s)
        asked.clear()
        calls_s.append((event.end_s - event.begin_s, *times_s))

    def one_round() -> None:
        clock.run(run_session(provider, spec, tracks, ask_again), spec.clock)

    one_round()
    calls_s.clear()
    benchmark.pedantic(one_round, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    clock.run(provider.close(), ClockKind.WALL)
    ratio, control = (statistics.median(call[at] / call[1] for call in calls_s) for at in (0, 2))
    added_ms = 1000 * statistics.median(call[0] - call[1] for call in calls_s)
    benchmark.extra_info |= {"harness_over_engine": ratio, "control": control}
    print(f"\n{name}: {ratio:.3f} x the engine alone, {added_ms:+.2f} ms a call (medians of "
          f"{len(calls_s)}); an equal engine {control:.3f} x")  # fmt: skip
    assert ratio <= LIMIT
