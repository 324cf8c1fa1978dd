"""A provider in a process of its own: the same contract, and a crash is its own affair."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from harness.activities import conformance
from harness.activities.conformance import RULES, conform
from harness.contract import ASRSegment, AudioSource, Option, SessionConfig
from harness.errors import AudioError, BadOutputError, EchobenchError, ModelError, ProviderError
from harness.journal.events import Event, RuleChecked
from harness.ladder.failover import FailoverProvider, Member
from harness.processes.isolated.provider import OutOfProcessProvider
from harness.provider.recording import RecordingObserver
from harness.provider.registry import find_corpus, make_provider
from tests.faults.processes import is_running
from tests.trials import spec_of

T = TypeVar("T")
MIC = AudioSource.MIC
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stand_ins")]


def run(test: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(60):
            return await test

    return asyncio.run(limited())


def isolated(name: str, **settings: Option) -> OutOfProcessProvider:
    return OutOfProcessProvider(make_provider(name, settings), settings)


async def audio(chunks: int, start: int = 0) -> AsyncIterator[bytes]:
    for number in range(start, start + chunks):
        yield np.full(8000, number, "<i2").tobytes()
        await asyncio.sleep(0)


async def listen(provider: OutOfProcessProvider, chunks: int) -> list[ASRSegment]:
    return [each async for each in provider.transcribe_stream(audio(chunks), source=MIC)]


def pid_of(provider: OutOfProcessProvider) -> int:
    assert provider._host is not None
    return provider._host.pid


RULES_HERE = """
    partials_come_before_finals audio_is_conserved flush_returns_the_rest leaving_cancels
    one_session_at_a_time odd_bytes_are_refused floats_are_refused an_error_ends_only_its_stream
""".split()
"""Those in which the way between the processes could make a difference."""


def test_it_keeps_the_contract_as_the_provider_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "RULES", {name: RULES[name] for name in RULES_HERE})
    events: list[Event] = []

    async def rules() -> None:
        provider = isolated("whisper_cpp")
        spec = spec_of("whisper_cpp", "embedded")
        await conform(provider, spec, find_corpus("embedded"), events.append)
        await provider.close()

    run(rules())
    checks = {event.check: event for event in events if isinstance(event, RuleChecked)}
    assert [*checks] == RULES_HERE
    broken = {name: check.detail for name, check in checks.items() if not check.passed}
    assert broken == {}


@pytest.mark.parametrize(
    ("settings", "how"),
    [
        ({"signal": signal.SIGSEGV}, "was killed by SIGSEGV"),
        ({"signal": signal.SIGKILL}, "was killed by SIGKILL"),
        ({"signal": 0}, "exited with 7"),
    ],
)
def test_a_crash_is_an_error_with_its_last_words(settings: dict[str, Option], how: str) -> None:
    async def session() -> None:
        provider = isolated("dies", at="stream", chunk=2, **settings)
        await provider.start_session("s", SessionConfig(model="embedded"))
        pid = pid_of(provider)
        with pytest.raises(ProviderError, match=rf"dies: the process {how} \(.*GGML_ASSERT"):
            await listen(provider, 5)
        for call in (provider.health(), provider.flush(MIC), provider.stop_session("s")):
            with pytest.raises(ProviderError, match=how):
                await call
        assert not is_running(pid)
        # The next session gets a new process, in which all is as it was.
        assert await provider.start_session("t", SessionConfig(model="embedded"))
        assert pid_of(provider) != pid
        await provider.close()

    run(session())


def test_a_crash_in_the_middle_hands_over_to_another_provider() -> None:
    async def session() -> None:
        first = isolated("dies", at="stream", chunk=3)
        failover = FailoverProvider(
            [Member(first, "embedded"), Member(isolated("null"), "embedded")]
        )
        met = []

        async def take_over(member: Member, error: EchobenchError) -> None:
            met.append(str(error))
            await failover.switch_to(failover.members[1])

        failover.on_failure = take_over
        await failover.start_session("s", SessionConfig(model="embedded"))
        async for _ in failover.transcribe_stream(audio(8), source=MIC):
            pass
        account = (await failover.health()).audio["mic"]
        assert (account.received, account.pending) == (64_000, 0)
        assert len(met) == 1
        assert "SIGSEGV" in met[0]
        await failover.stop_session("s")
        await failover.close()

    run(session())


def test_errors_keep_their_kind() -> None:
    async def session() -> None:
        provider = isolated("raises", at="load", error="model")
        with pytest.raises(ModelError, match=r"tiny\.bin: 8 bytes; allowed: a whole model"):
            await provider.start_session("s", SessionConfig(model="embedded"))
        await provider.close()
        provider = isolated("raises", at="stream", error="plain")
        await provider.start_session("s", SessionConfig(model="embedded"))
        with pytest.raises(ProviderError, match="RuntimeError: the tensor has the wrong shape"):
            await listen(provider, 4)
        await provider.stop_session("s")
        await provider.close()
        provider = isolated("null")
        await provider.start_session("s", SessionConfig(model="embedded"))
        with pytest.raises(AudioError, match="8000 Hz"):
            async for _ in provider.transcribe_stream(audio(1), 8000, MIC):
                pass
        await provider.close()

    run(session())


def test_a_segment_of_the_wrong_form_is_an_error_of_its_stream() -> None:
    async def session() -> None:
        provider = isolated("babbles", what="no_text", at="stream")
        for session_id in "st":  # the first session is the one in which it is probed
            await provider.start_session(session_id, SessionConfig(model="embedded"))
            if session_id == "t":
                with pytest.raises(BadOutputError, match=r"next_segment .*Expected `str`, got"):
                    await listen(provider, 3)
            await provider.stop_session(session_id)
        assert await provider.start_session("u", SessionConfig(model="embedded"))
        await provider.close()

    run(session())


def test_leaving_the_iterator_reaches_the_far_side() -> None:
    async def session() -> None:
        provider = isolated("hangs", how="awaits", at="stream", chunk=0)
        await provider.start_session("s", SessionConfig(model="embedded"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await listen(provider, 3)
        await provider.stop_session("s")
        assert await provider.start_session("t", SessionConfig(model="embedded"))
        await provider.close()

    run(session())


def test_audio_that_fails_to_come_is_told() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(3200)
        raise OSError("the sound card is gone")

    async def session() -> None:
        provider = isolated("null")
        await provider.start_session("s", SessionConfig(model="embedded"))
        with pytest.raises(ProviderError, match="audio: raised OSError: the sound card is gone"):
            async for _ in provider.transcribe_stream(broken(), source=MIC):
                pass
        await provider.close()

    run(session())


def test_it_ends_with_all_that_it_started(tmp_path: Path) -> None:
    async def session() -> None:
        note = tmp_path / "pid"
        provider = isolated(
            "leaves_children", pid_file=str(note), at="stream", chunk=1, signal=0, new_session=True
        )
        await provider.start_session("s", SessionConfig(model="embedded"))
        await listen(provider, 3)
        pid, child = pid_of(provider), int(note.read_text())
        assert is_running(child)
        await provider.close()
        for _ in range(100):
            if not (is_running(pid) or is_running(child)):
                break
            await asyncio.sleep(0.05)
        assert not is_running(pid)
        assert not is_running(child)

    run(session())


def test_it_ends_when_we_do() -> None:
    """By SIGKILL, so that nothing of ours can tell it to."""
    script = """
import asyncio, sys
from harness.contract import SessionConfig
from harness.processes.isolated.provider import OutOfProcessProvider
from harness.provider.registry import make_provider
async def main():
    provider = OutOfProcessProvider(make_provider("null", {}), {})
    await provider.start_session("s", SessionConfig(model="embedded"))
    print(provider._host.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""

    async def session() -> None:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env=env
        )
        assert child.stdout is not None
        pid = int(await child.stdout.readline())
        assert is_running(pid)
        child.kill()
        await child.wait()
        for _ in range(100):
            if not is_running(pid):
                break
            await asyncio.sleep(0.05)
        assert not is_running(pid)

    run(session())


def test_health_and_spans_come_through() -> None:
    async def session() -> None:
        provider = isolated("oracle", transcript="hello there", infer_s=0.01)
        observer = RecordingObserver()
        spans = observer.spans
        await provider.start_session("s", SessionConfig(model="embedded", observer=observer))
        begin_s = asyncio.get_running_loop().time()
        said = await listen(provider, 4)
        end_s = asyncio.get_running_loop().time()
        assert said[-1].text == "hello there"
        health = await provider.health()
        assert health.audio["mic"].received == 32_000
        assert health.model_resident
        assert len(spans) == 4
        assert all(begin_s <= span.begin_s <= span.end_s <= end_s for span in spans)  # one clock
        await provider.stop_session("s")
        await provider.close()

    run(session())


def test_each_session_reports_to_its_own_observer() -> None:
    """Also after another session was refused while one was going on."""
    observers = [RecordingObserver() for _ in range(3)]
    configs = [SessionConfig(model="embedded", observer=each) for each in observers]

    async def session() -> None:
        provider = isolated("oracle", transcript="hello there", infer_s=0.001)
        assert await provider.start_session("first", configs[0])
        assert not await provider.start_session("refused", configs[1])
        await listen(provider, 2)
        await provider.stop_session("first")
        assert await provider.start_session("second", configs[2])
        await listen(provider, 3)
        await provider.stop_session("second")
        await provider.close()

    run(session())
    assert [len(each.spans) for each in observers] == [2, 0, 3]
