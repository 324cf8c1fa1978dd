"""An app's own server, spoken to as its adapter's file says: EchoPanel's protocol and faults."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioSource, SessionConfig
from harness.errors import (
    AudioError,
    DataFileError,
    EchobenchError,
    ProviderError,
    UnavailableError,
)
from harness.journal.events import Event, SegmentArrived
from harness.metrics import TrialLog, measure
from harness.provider.registry import make_provider
from harness.session.session import run_session
from harness.specs.scenario import SourceScript
from providers.app.adapter import read_adapter
from providers.app_server import AppServer, AppServerSettings
from tests.ladder.numbers import counting
from tests.providers.echopanel_server import EchoPanel, echopanel
from tests.trials import scenario_of, spec_of

T = TypeVar("T")
MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM
ADAPTERS = Path(__file__).parents[2] / "suites" / "adapters"
JSON, BINARY = ADAPTERS / "echopanel.toml", ADAPTERS / "echopanel_binary.toml"


def run(test: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(60):
            return await test

    return asyncio.run(limited())


def provider_for(panel: EchoPanel, folder: Path, adapter: Path = JSON, **more: Any) -> AppServer:
    """A provider whose adapter is the project's own, but for the port."""
    text = adapter.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{panel.port}")
    (folder / "adapter.toml").write_text(text)
    return AppServer(AppServerSettings(adapter=str(folder / "adapter.toml"), **more))


async def audio(last: int, first: int = 1) -> AsyncIterator[bytes]:
    pcm = counting((last - first + 1) * 0.5, first=first).audio
    for at in range(0, len(pcm), 1600):
        yield pcm[at : at + 1600].tobytes()
        await asyncio.sleep(0)


async def listen(provider: AppServer, last: int, source: AudioSource = MIC) -> list[ASRSegment]:
    stream = provider.transcribe_stream(audio(last), source=source)
    return [segment async for segment in stream]


def text_of(segments: list[ASRSegment]) -> str:
    return " ".join(segment.text for segment in segments if segment.is_final)


@pytest.mark.parametrize("adapter", [JSON, BINARY], ids=["json", "binary"])
def test_a_source_is_captioned(adapter: Path, tmp_path: Path) -> None:
    async def session() -> None:
        async with echopanel() as panel:
            provider = provider_for(panel, tmp_path, adapter)
            assert await provider.start_session("s", SessionConfig(model="its own"))
            assert not await provider.start_session("t", SessionConfig(model="its own"))
            said = await listen(provider, 10)
            assert text_of(said) == "1 2 3 4 5 6 7 8 9 10"
            assert {segment.source for segment in said} == {MIC}
            finals = [segment.segment_id for segment in said if segment.is_final]
            assert finals == list(range(len(finals)))
            health = await provider.health()
            assert (health.audio["mic"].received, health.audio["mic"].pending) == (80_000, 0)
            assert health.realtime_factor is None  # nobody knows
            await provider.stop_session("s")
            assert panel.samples == {"mic" if adapter is JSON else "system": 80_000}
            started = panel.started[0]
            assert started["session_id"].startswith("echobench-")
            assert (started["sample_rate"], started["channels"]) == (16_000, 1)

    run(session())


@pytest.mark.slow
def test_two_sources_share_a_session_in_a_whole_trial(tmp_path: Path) -> None:
    async def trial() -> None:
        async with echopanel() as panel:
            provider = provider_for(panel, tmp_path)
            tracks = [counting(3.0, MIC), counting(3.0, SYSTEM, first=501, start_s=0.4)]
            scripts = [SourceScript(name=track.source, gap_s=(0, 0)) for track in tracks]
            spec = spec_of(
                "app_server", "none", clock=ClockKind.WALL, chunk_seconds=0.1,
                scenario=scenario_of(3.0, *scripts),
            )  # fmt: skip
            events: list[Event] = []
            await run_session(provider, spec, tracks, events.append)
            assert len(panel.started) == 1
            assert panel.samples == {"mic": 48_000, "system": 48_000}
        log = TrialLog(spec, events)
        for source, first in ((MIC, 1), (SYSTEM, 501)):
            said = [e.segment for e in log.of(SegmentArrived) if e.segment.source is source]
            assert text_of(said) == " ".join(map(str, range(first, first + 6)))
        figures = measure(log)
        assert figures["unaccounted_samples"].value == 0
        assert figures["rtf"].absent == "no inference was seen"

    run(trial())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "error", "problem"),
    [
        ("full", ProviderError, "reported: Server at capacity"),
        ("never_ready", ProviderError, "was not ready for audio within 0.5 s"),
    ],
)
def test_a_server_that_takes_no_audio(
    fault: str, error: type[EchobenchError], problem: str, tmp_path: Path
) -> None:
    async def session() -> None:
        async with echopanel(fault) as panel:
            provider = provider_for(panel, tmp_path, open_s=0.5)
            with pytest.raises(error, match=problem):
                await provider.start_session("s", SessionConfig(model="its own"))
            await provider.close()

    run(session())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("drops", "closed the connection before all audio was sent, with 1006"),
        ("garbage", "sent a message that isn't JSON .*<html>"),
        ("other_source", "sent text for source 'desk', which sent no audio"),
        ("never_done", "had not ended 0.5 s after the last audio"),
    ],
)
def test_a_server_that_fails_in_the_middle(fault: str, problem: str, tmp_path: Path) -> None:
    async def session() -> None:
        async with echopanel(fault) as panel:
            provider = provider_for(panel, tmp_path, finish_s=0.5)
            await provider.start_session("s", SessionConfig(model="its own"))
            with pytest.raises(ProviderError, match=problem):
                await listen(provider, 10)
            assert problem.split()[0] in ((await provider.health()).last_error or "")
            await provider.stop_session("s")
            panel.fault = ""
            await provider.start_session("t", SessionConfig(model="its own"))
            assert text_of(await listen(provider, 4)) == "1 2 3 4"
            await provider.stop_session("t")

    run(session())


def test_a_token_goes_by_header_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def session() -> None:
        async with echopanel(token="s3cret") as panel:
            provider = provider_for(panel, tmp_path)
            with pytest.raises(ProviderError, match="reported: Unauthorized"):
                await provider.start_session("s", SessionConfig(model="its own"))
            monkeypatch.setenv("ECHOPANEL_WS_AUTH_TOKEN", "s3cret")
            assert await provider.start_session("s", SessionConfig(model="its own"))
            await provider.stop_session("s")

    run(session())


def test_nobody_there_is_told_with_the_address(tmp_path: Path) -> None:
    provider = provider_for(EchoPanel(port=9), tmp_path)
    with pytest.raises(UnavailableError, match=r"ws://127\.0\.0\.1:9/.*can't be reached"):
        run(provider.start_session("s", SessionConfig(model="its own")))


def test_bad_audio_and_unknown_sources_are_refused(tmp_path: Path) -> None:
    async def odd() -> AsyncIterator[bytes]:
        yield bytes(3200)
        yield bytes(3)

    async def session() -> None:
        async with echopanel() as panel:
            provider = provider_for(panel, tmp_path, BINARY)
            await provider.start_session("s", SessionConfig(model="its own"))
            with pytest.raises(
                ProviderError, match="the server knows no such source; allowed: mic"
            ):
                await listen(provider, 1, SYSTEM)
            with pytest.raises(AudioError, match="3 bytes"):
                async for _ in provider.transcribe_stream(odd(), source=MIC):
                    pass
            assert (await provider.health()).audio["mic"].pending == 0
            await provider.stop_session("s")

    run(session())


def test_without_an_adapter_it_says_what_it_lacks() -> None:
    provider = make_provider("app_server", {})
    assert not provider.is_available
    with pytest.raises(UnavailableError, match=r"adapter=suites/adapters/echopanel\.toml"):
        run(provider.start_session("s", SessionConfig(model="its own")))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('url = "ws://', 'url = "http://', "regex"),
        ('data = "{pcm}"', 'data = "{sound}"', "[audio] has no field with {pcm}"),
        ('session_id = "{session}"', 'session_id = "{pcm}"', "start.session_id: {pcm}"),
        ("[final]", "[finale]", "unknown field"),
        ("[sources]", "[source]", "source"),
        ('mic = "mic"\nsystem = "system"', 'desk = "mic"', "desk"),
    ],
)
def test_an_adapter_that_says_nonsense_is_refused(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    text = JSON.read_text()
    assert old in text
    path = tmp_path / "adapter.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataFileError, match=r"adapter\.toml") as refused:
        read_adapter(path)
    assert problem in str(refused.value)


def test_bare_pcm_can_have_one_source_only(tmp_path: Path) -> None:
    path = tmp_path / "adapter.toml"
    text = BINARY.read_text().replace('mic = "system"', 'mic = "system"\nsystem = "other"')
    path.write_text(text)
    with pytest.raises(DataFileError, match="bare PCM doesn't name its source"):
        read_adapter(path)


def test_both_of_our_adapters_are_sound() -> None:
    pcm = np.array([1, -1], "<i2").tobytes()
    json_frame = read_adapter(JSON).frame("s", MIC, pcm)
    assert json_frame == '{"type":"audio","source":"mic","data":"AQD//w=="}'
    assert read_adapter(BINARY).frame("s", MIC, pcm) == pcm
