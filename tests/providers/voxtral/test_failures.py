"""A program that fails ends the stream in one error; nothing heard is lost, nothing left over."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from harness.clock import ClockKind, run
from harness.contract import ASRSegment
from harness.errors import BadOutputError, ModelError, ProviderError, StalledError
from tests.providers.engines import chunks, hear, text_of
from tests.providers.tones import collect
from tests.providers.voxtral_sessions import CONFIG, meant, pcm, session, spoken
from tests.stand_ins.voxtral_model import executable, write_model


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return executable(tmp_path_factory.mktemp("program"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "error", "words"),
    [
        ("crashes", ProviderError, "was killed by SIGSEGV"),
        ("exits", ProviderError, "exited with 0"),
        ("closes_stdout", ProviderError, "closed its output but kept running"),
        ("deaf", StalledError, "for 1 s"),
        ("garbage", BadOutputError, "no UTF-8"),
        ("babbles", BadOutputError, "characters for one utterance"),
    ],
)
def test_what_was_heard_before_a_failure_is_kept_and_the_next_session_works(
    program: Path, tmp_path: Path, mode: str, error: type[ProviderError], words: str
) -> None:
    model = write_model(tmp_path / "model", mode, after_s=7.0)  # type: ignore[arg-type]

    async def body() -> tuple[str, str]:
        async with session(program, model, answer_s=1.0 if mode == "deaf" else 10.0) as provider:
            said: list[ASRSegment] = []
            stream = provider.transcribe_stream(chunks(pcm(*[spoken(6)] * 4), 0.5))
            with pytest.raises(error, match=words):
                await collect(stream, said)
            assert not (await provider.health()).model_resident
            assert (await provider.health()).last_error is not None
            await provider.stop_session("test")
            write_model(model)
            assert await provider.start_session("test", CONFIG)
            return text_of(said), text_of(await hear(provider, pcm(spoken(3))))

    before, after = run(body(), ClockKind.WALL)
    assert before.startswith(meant(spoken(6)).rsplit(" ", 1)[0])
    assert after == meant(spoken(3))


def test_a_process_that_dies_while_nobody_speaks_is_replaced(program: Path, model: Path) -> None:
    async def body() -> str:
        async with session(program, model) as provider:
            await hear(provider, pcm(spoken(2)))
            for child in psutil.Process().children():
                child.kill()
            await asyncio.sleep(0.2)
            return text_of(await hear(provider, pcm(spoken(3))))

    assert run(body(), ClockKind.WALL) == meant(spoken(3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "error", "words"),
    [
        ("never_ready", StalledError, "had not loaded its model after 6 s"),
        ("mute", StalledError, "made no progress for 1 s"),
        ("no_tokenizer", ModelError, r"tekken\.json can't be opened"),
    ],
)
def test_a_model_that_does_not_load_is_told_and_nothing_is_left(
    program: Path, tmp_path: Path, mode: str, error: type[Exception], words: str
) -> None:
    model = write_model(tmp_path / "model", mode)  # type: ignore[arg-type]

    async def body() -> None:
        load_s = 6.0 if mode == "never_ready" else 60.0  # both processes begin within it
        async with session(program, model, load_s=load_s, answer_s=1.0, processes=2):
            pass

    with pytest.raises(error, match=words):
        run(body(), ClockKind.WALL)


@pytest.mark.slow
def test_stopping_while_it_hangs_is_bounded_and_the_next_session_works(
    program: Path, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model", "deaf", after_s=3.0)

    async def body() -> str:
        async with session(program, model, answer_s=1.0) as provider:
            listening = asyncio.create_task(hear(provider, pcm(*[spoken(6)] * 9), chunk_s=0.5))
            await asyncio.sleep(0.5)
            begin_s = time.monotonic()
            await provider.stop_session("test")
            assert time.monotonic() - begin_s < 5
            with pytest.raises(ProviderError, match="stopped"):
                await listening
            write_model(model)
            assert await provider.start_session("test", CONFIG)
            with pytest.raises(StalledError):  # it is found out now, and replaced after
                await hear(provider, pcm(spoken(3)))
            return text_of(await hear(provider, pcm(spoken(3))))

    assert run(body(), ClockKind.WALL) == meant(spoken(3))
