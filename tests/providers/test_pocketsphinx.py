import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from harness.clock import ClockKind, run
from harness.contract import ASRSegment, AudioSource, SessionConfig
from harness.errors import ProviderError, UnknownNameError
from harness.journal.events import Inferred, Sampled
from harness.provider.registry import make_provider
from harness.specs.trial import TrialStatus
from harness.text_normalizer import tokens
from providers.pocketsphinx import PocketSphinx
from tests.faults.processes import is_running
from tests.providers import sphinx_model
from tests.providers.engines import (
    chunks,
    failed_rules,
    hear,
    refusals,
    session,
    shortest,
    text_of,
    with_pauses,
)
from tests.providers.tones import collect
from tests.trials import run_of, scenario_of, spec_of

pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")
MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(sphinx_model.write_model(tmp_path_factory.mktemp("sphinx") / "model"))


def children() -> list[psutil.Process]:
    """The processes of engines; each has a guard beside it."""
    found = psutil.Process().children()
    return [child for child in found if child.is_running() and "serve" in "".join(child.cmdline())]


@pytest.mark.slow
def test_every_rule_of_the_contract_is_kept(model: str) -> None:
    assert failed_rules("pocketsphinx", ClockKind.VIRTUAL, shortest(3), model) == []
    assert children() == []


@pytest.mark.slow
def test_the_model_in_its_package_hears_speech() -> None:
    """At a low accuracy, which is all that it is for; whole words of another voice are right."""
    entry = shortest(3)[2]

    async def body() -> list[ASRSegment]:
        async with session("pocketsphinx", "en-us") as provider:
            return await hear(provider, with_pauses(entry))

    said = run(body(), ClockKind.VIRTUAL)
    assert any(not segment.is_final for segment in said)
    assert len({*tokens(text_of(said))} & {*tokens(entry.text)}) >= 2


@pytest.mark.slow
def test_each_source_has_a_process_of_its_own_for_good(model: str) -> None:
    """The second one's is started when it first streams; both live until the model goes."""
    first, second = shortest(2)

    async def body() -> list[list[int]]:
        pids = []
        async with session("pocketsphinx", model) as provider:
            pids.append([child.pid for child in children()])
            for _ in range(2):
                await asyncio.gather(
                    hear(provider, with_pauses(first), MIC),
                    hear(provider, with_pauses(second), SYSTEM),
                )
                pids.append(sorted(child.pid for child in children()))
                await provider.stop_session("test")
                assert await provider.start_session("test", SessionConfig(model=model))
        return [*pids, [child.pid for child in children()]]

    one, two, again, none = run(body(), ClockKind.WALL)
    assert len(one) == 1
    assert len(two) == 2
    assert set(one) < set(two)
    assert two == again
    assert none == []


def test_a_process_that_dies_costs_its_stream_and_no_word_before(model: str) -> None:
    entry = shortest(3)[2]

    async def body() -> tuple[list[ASRSegment], str, list[ASRSegment]]:
        async with session("pocketsphinx", model) as provider:
            said: list[ASRSegment] = []
            stream = provider.transcribe_stream(chunks(with_pauses(entry), 0.5))
            said.append(await anext(stream))
            os.kill(children()[0].pid, signal.SIGKILL)
            with pytest.raises(ProviderError) as caught:
                await collect(stream, said)
            return said, str(caught.value), await hear(provider, with_pauses(entry))

    said, error, after = run(body(), ClockKind.WALL)
    assert "was killed by SIGKILL" in error
    assert [segment.is_final for segment in said] == [False, True]
    assert said[0].text == said[1].text
    assert text_of(after)
    assert children() == []


@pytest.mark.slow
def test_a_stop_ends_a_process_that_is_busy_for_too_long(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is stopped by a signal, as an engine in an endless loop would be."""
    monkeypatch.setattr("providers.pocketsphinx.CANCEL_TIMEOUT_S", 0.2)
    entry = shortest(3)[2]

    async def body() -> tuple[float, int, str]:
        async with session("pocketsphinx", model) as provider:
            (child,) = children()

            async def then_busy() -> AsyncIterator[bytes]:
                async for chunk in chunks(with_pauses(entry), 0.5):
                    yield chunk
                    child.suspend()

            listening = asyncio.create_task(collect(provider.transcribe_stream(then_busy()), []))
            await asyncio.sleep(0.5)
            begin_s = time.monotonic()
            await provider.stop_session("test")
            stop_s = time.monotonic() - begin_s
            with pytest.raises(ProviderError, match="stopped"):
                await listening
            assert await provider.start_session("test", SessionConfig(model=model))
            return stop_s, child.pid, text_of(await hear(provider, with_pauses(entry)))

    stop_s, pid, text = run(body(), ClockKind.WALL)
    assert stop_s < 10
    assert not is_running(pid)
    assert text


@pytest.mark.slow
@pytest.mark.parametrize("clock", ClockKind)
def test_a_trial_in_a_worker_charges_the_child(
    clock: ClockKind, model: str, tmp_path: Path
) -> None:
    """Its work is inference time and CPU time of the trial, on either clock."""
    spec = spec_of("pocketsphinx", "embedded", clock=clock, model=model, scenario=scenario_of(2.5))
    (record,) = run_of([spec], tmp_path / "journal.jsonl")
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK, record.ended.reason
    spent_s = sum(e.end_s - e.begin_s for e in record.events if isinstance(e, Inferred))
    samples = [event for event in record.events if isinstance(event, Sampled)]
    assert spent_s > 0.02
    assert samples[-1].cpu_s - samples[0].cpu_s > 0.02
    assert samples[-1].health.audio["mic"].pending == 0
    assert children() == []


@pytest.mark.slow
def test_bad_models_are_named(tmp_path: Path) -> None:
    folders = [sphinx_model.write_model(tmp_path / str(number)) for number in range(5)]
    (folders[0] / "acoustic").unlink()
    (folders[1] / "words.dict").unlink()
    (folders[2] / "words.lm").write_bytes(b"")
    (folders[3] / "words.lm").write_bytes(b"\xff" * 999)
    answers = refusals("pocketsphinx", [*folders, tmp_path / "nowhere"])
    told = ("has no mdef", "has no *.dict", "words.lm: is empty", "allowed: an intact model")
    for fact, answer in zip(told, answers[:4], strict=True):
        assert answer.startswith("ModelError: ")
        assert fact in answer
    assert answers[4] == "ready"
    assert "no such folder" in answers[5]


def test_another_name_is_no_model() -> None:
    with pytest.raises(UnknownNameError, match="en-us"):
        PocketSphinx().locate_model("base.en")


def test_what_it_lacks_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    provider = make_provider("pocketsphinx", {})
    assert not provider.is_available
    assert "pip install 'echobench[pocketsphinx]'" in provider.requires[0].remedy()
