"""Distil-Whisper: which engine gets which model, and word times where whisper.cpp forbids them."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.activities.conformance import RULES, conform
from harness.audio import SAMPLE_RATE_HZ, Samples, to_float
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, SessionConfig, Word
from harness.errors import DataFileError, ModelError, UnknownNameError
from harness.journal.events import Event, RuleChecked
from harness.provider.registry import make_provider
from harness.text_normalizer import tokens
from providers.distil_whisper import ENGINES, DistilWhisper
from providers.whisper import word_times
from providers.whisper.ggml import check_ggml
from providers.whisper.models import DISTILLED
from providers.whisper_cpp import WhisperCpp
from tests.providers.engines import hear, session, shortest, spec, text_of, with_pauses
from tests.providers.ggml_files import MODEL, with_decoder_layers

NOISE = 0.1 * np.random.default_rng(0).standard_normal(4 * SAMPLE_RATE_HZ, dtype=np.float32)


@pytest.fixture(scope="module")
def two_layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that whisper.cpp takes for a distilled one of the first release."""
    path = tmp_path_factory.mktemp("models") / "ggml-distil-mine.bin"
    path.write_bytes(with_decoder_layers(MODEL.read_bytes(), 2))
    return path


@pytest.fixture(scope="module")
def distilled(two_layers: Path) -> Iterator[WhisperCpp]:
    provider = WhisperCpp()
    provider.load(SessionConfig(model=str(two_layers)))
    yield provider
    provider.unload()


@pytest.fixture(scope="module")
def followed() -> Iterator[WhisperCpp]:
    """The whole embedded model, with word times by the way that distilled ones get them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("providers.whisper_cpp.knows_timestamps", lambda header: False)
        provider = WhisperCpp()
        provider.load(SessionConfig(model="embedded"))
    yield provider
    provider.unload()


def utterance(number: int = 0) -> Samples:
    return to_float(shortest(number + 1)[number].read().tobytes())


def in_order(words: list[Word], length_s: float) -> bool:
    times = [0.0, *(time for word in words for time in (word.t0, word.t1)), length_s]
    return all(before <= after for before, after in pairwise(times))


@pytest.mark.slow
def test_every_rule_of_the_contract_is_kept() -> None:
    events: list[Event] = []

    async def body() -> None:
        provider = make_provider("distil_whisper", {"engine": "faster_whisper"})
        trial = spec("distil_whisper", ClockKind.VIRTUAL)
        await conform(provider, trial, shortest(3), events.append)
        await provider.close()

    run(body(), ClockKind.VIRTUAL)
    checks = {event.check: event for event in events if isinstance(event, RuleChecked)}
    assert set(checks) == set(RULES)
    assert not [check for check in checks.values() if not check.passed]


def test_whisper_cpp_forbids_time_stamps_and_words_get_times_all_the_same(
    two_layers: Path, distilled: WhisperCpp
) -> None:
    assert not word_times.knows_timestamps(check_ggml(two_layers))
    samples = utterance()
    words = distilled.decode(samples, is_final=True)
    model: Any = distilled._model
    (segment,) = model._get_segments(model._ctx, 0, 1)
    assert segment.t0 < 0  # what it says of a segment that has no time stamps
    assert [word.text for word in words] == segment.text.split()
    assert words
    assert in_order(words, len(samples) / SAMPLE_RATE_HZ + 0.1)


@pytest.mark.parametrize("is_final", [False, True])
@pytest.mark.parametrize("number", range(3))
def test_words_are_where_the_decoder_looked(
    followed: WhisperCpp, number: int, is_final: bool
) -> None:
    """Nearer to the truth than most that Whisper tells of words; each word begins the next."""
    entry = shortest(number + 1)[number]
    words = followed.decode(utterance(number), is_final=is_final)
    assert [word.text for word in words] == tokens(entry.text)
    assert entry.words is not None
    off_s = [abs(word.t1 - true.t1) for word, true in zip(words, entry.words, strict=True)]
    assert np.median(off_s) < 0.2
    assert all(word.t1 == after.t0 for word, after in pairwise(words))


@pytest.mark.parametrize("samples", [np.zeros(1, np.float32), np.zeros(99_999, np.float32), NOISE])
def test_no_audio_ends_the_process(distilled: WhisperCpp, samples: Samples) -> None:
    """whisper.cpp has assertions where it follows the decoder."""
    for is_final in (False, True):
        words = distilled.decode(samples, is_final=is_final)
        assert in_order(words, max(len(samples) / SAMPLE_RATE_HZ, 1.1) + 0.1)


def test_an_interrupted_decode_ends_soon_and_the_next_is_whole(followed: WhisperCpp) -> None:
    followed.interrupt(stop=True)
    assert followed.decode(utterance(), is_final=True) == []
    followed.interrupt(stop=False)
    words = followed.decode(utterance(), is_final=True)
    assert [word.text for word in words] == tokens(shortest(1)[0].text)


@pytest.mark.parametrize("engine", ENGINES)
def test_either_engine_hears_the_model_that_stands_in(engine: str) -> None:
    async def body() -> list[ASRSegment]:
        async with session("distil_whisper", engine=engine, threads=1) as provider:
            return await hear(provider, with_pauses(shortest(1)[0]))

    assert tokens(text_of(run(body(), ClockKind.VIRTUAL))) == tokens(shortest(1)[0].text)


@pytest.mark.parametrize("name", ["distil-tiny", "base.en", "large-v3", ""])
def test_a_model_of_another_family_is_refused(name: str) -> None:
    provider = DistilWhisper()
    with pytest.raises(UnknownNameError, match=r"distil-large-v3\.5"):
        provider.locate_model(name)
    with pytest.raises(UnknownNameError):
        run(provider.start_session("test", SessionConfig(model=name)), ClockKind.WALL)


@pytest.mark.parametrize("name", [*DISTILLED, "embedded"])
@pytest.mark.parametrize("provider", ["distil_whisper", "whisper_cpp", "faster_whisper"])
def test_another_language_is_refused_before_anything_is_fetched(provider: str, name: str) -> None:
    config = SessionConfig(model=name, language="de")
    with pytest.raises(ModelError, match="'de'"):
        run(make_provider(provider, {}).start_session("test", config), ClockKind.WALL)


@pytest.mark.parametrize(
    "options", [{"engine": "mlx"}, {"threads": 0}, {"beam_size": 5}, {"short_context": 1}]
)
def test_wrong_options_are_refused(options: dict[str, str | int]) -> None:
    with pytest.raises(DataFileError, match="options of distil_whisper"):
        make_provider("distil_whisper", dict(options))
