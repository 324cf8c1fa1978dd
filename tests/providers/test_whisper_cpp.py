import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _pywhispercpp as binding
import numpy as np
import pytest

from harness.audio import Samples, to_float
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, SessionConfig, Word
from harness.errors import DataFileError, ModelError, UnknownNameError
from harness.provider.recording import RecordingObserver
from harness.provider.registry import make_provider
from harness.text_normalizer import tokens
from providers.whisper_cpp import WhisperCpp
from tests.providers.engines import hear, refusals, session, shortest, text_of, with_pauses
from tests.providers.ggml_files import MODEL, layout_of, with_few_tokens


@pytest.fixture(scope="module")
def by_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model under another name, so that it counts as any other model."""
    path = tmp_path_factory.mktemp("models") / "ggml-mine.bin"
    shutil.copy(MODEL, path)
    return path


@pytest.fixture
def engine(by_path: Path) -> Iterator[WhisperCpp]:
    provider = WhisperCpp()
    provider.load(SessionConfig(model=str(by_path)))
    yield provider
    provider.unload()


def utterance(number: int = 0) -> Samples:
    return to_float(shortest(number + 1)[number].read().tobytes())


def said(words: list[Word]) -> list[str]:
    return tokens(" ".join(word.text for word in words))


def test_damaged_files_are_refused_before_the_engine_sees_them(tmp_path: Path) -> None:
    """It would take some for a model that hears nothing, and die of others."""
    whole = with_few_tokens(MODEL.read_bytes(), 300)
    layout = layout_of(whole)
    lengths = [0, 3, 4, 8, 47, 56, layout.token_count, layout.token_count + 4,
               layout.token_lengths[100] + 2, layout.tensors[0], layout.tensors[0] + 12,
               layout.names[0], layout.tensors[40] + 5, layout.tensors[-1], len(whole) // 2,
               len(whole) - 1]  # fmt: skip
    contents = {f"cut-at-{length}.bin": whole[:length] for length in lengths}
    contents["wrong-magic.bin"] = b"GGUF" + whole[4:]
    contents["eight-bytes.bin"] = b"lmgg\xff\xff\xff\x7f"
    contents["zeros.bin"] = bytes(4096)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [*(tmp_path / name for name in contents), tmp_path / "missing.bin", tmp_path]
    answers = refusals("whisper_cpp", paths)
    for path, answer in zip(paths, answers, strict=True):
        assert answer.startswith(f"ModelError: {path}: "), answer
        assert "; allowed: " in answer


def test_a_file_without_the_right_to_read_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ggml-locked.bin"
    path.write_bytes(b"lmgg")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    (answer,) = refusals("whisper_cpp", [path])
    assert answer.startswith(f"ModelError: {path}: ")


def test_a_name_is_never_handed_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would download what it takes for a name; ours are looked up in a list first."""

    def no_network(*args: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    provider = WhisperCpp()
    for name in ("tyny.en", "large-v9", "", "ggml-tiny.en"):
        with pytest.raises(UnknownNameError):
            provider.locate_model(name)
    with pytest.raises(ModelError, match="no such file"):
        provider.locate_model("tiny.en.bin")


@pytest.mark.slow
def test_a_partial_leaves_nothing_behind(engine: WhisperCpp) -> None:
    """The binding keeps parameters from call to call; a short context would spoil the final."""
    samples = utterance()
    fresh = engine.decode(samples, is_final=True)
    engine.decode(samples[:12_000], is_final=False)
    engine.decode(utterance(1), is_final=True)
    engine.decode(samples, is_final=False)
    assert engine.decode(samples, is_final=True) == fresh
    assert said(fresh) == tokens(shortest(1)[0].text)


def test_answers_do_not_depend_on_what_was_heard_before() -> None:
    """With flash attention they do: it sees what longer windows have left behind shorter ones."""
    provider = WhisperCpp()
    provider.load(SessionConfig(model="embedded"))
    short, long = utterance(), np.concatenate([utterance(number) for number in range(1, 5)])

    def sureness() -> list[float]:
        provider.decode(short, is_final=True)
        model: Any = provider._model  # no public way leads to the tokens
        context = model._ctx
        return [
            binding.whisper_full_get_token_p(context, segment, index)
            for segment in range(binding.whisper_full_n_segments(context))
            for index in range(binding.whisper_full_n_tokens(context, segment))
        ]

    fresh = sureness()
    provider.decode(long, is_final=True)
    assert sureness() == fresh
    provider.unload()


@pytest.mark.slow
def test_finals_of_a_model_by_path_get_the_whole_context(by_path: Path) -> None:
    """And so they are decoded even when a partial has heard everything."""
    finals: list[bool] = []

    class Watched(WhisperCpp):
        def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
            finals.append(is_final)
            return super().decode(samples, is_final=is_final)

    async def body() -> list[ASRSegment]:
        provider = Watched()
        await provider.start_session("test", SessionConfig(model=str(by_path)))
        heard = await hear(provider, with_pauses(*shortest(2)), chunk_s=0.5)
        await provider.stop_session("test")
        await provider.close()
        return heard

    heard = run(body(), ClockKind.VIRTUAL)
    assert finals.count(True) == len([segment for segment in heard if segment.is_final]) == 2
    assert tokens(text_of(heard)) == tokens(" ".join(entry.text for entry in shortest(2)))


@pytest.mark.slow
def test_partials_cost_less_than_finals_of_a_model_by_path(by_path: Path) -> None:
    observer = RecordingObserver()

    async def body() -> list[ASRSegment]:
        async with session("whisper_cpp", str(by_path), observer=observer) as provider:
            return await hear(provider, with_pauses(shortest(1)[0]), chunk_s=0.8)

    run(body(), ClockKind.VIRTUAL)
    *partials, final = (span.end_s - span.begin_s for span in observer.spans)
    assert np.median(partials) < final


@pytest.mark.slow
def test_an_interrupted_decode_ends_soon_and_the_next_is_whole(engine: WhisperCpp) -> None:
    samples = utterance()
    engine.interrupt(stop=True)
    assert engine.decode(samples, is_final=True) == []
    engine.interrupt(stop=False)
    assert said(engine.decode(samples, is_final=True)) == tokens(shortest(1)[0].text)


def test_a_window_that_is_one_loop_stays_short(engine: WhisperCpp) -> None:
    """Noise makes Whisper repeat itself; more words than anyone says in that time are cut."""
    noise = np.random.default_rng(0).standard_normal(8 * 16_000, dtype=np.float32) * 0.1
    assert len(engine.decode(noise.astype(np.float32), is_final=True)) <= 8 * 8


@pytest.mark.parametrize(
    "options", [{"n_threads": "two"}, {"n_threads": 0}, {"threads": 2}, {"use_gpu": 3}]
)
def test_wrong_options_are_refused(options: dict[str, str | int]) -> None:
    with pytest.raises(DataFileError, match="options of whisper_cpp"):
        make_provider("whisper_cpp", dict(options))
