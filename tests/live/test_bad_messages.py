"""Messages that are wrong, or come at the wrong time: refused with a code, and what is allowed."""

import time

import pytest

from harness.live.protocol.close_codes import Close
from harness.live.protocol.frames import pack
from harness.live.protocol.messages import Failed
from tests.ladder.numbers import Numbers
from tests.live.rig import (
    MIC,
    PCM,
    SYSTEM,
    Client,
    client,
    run,
    seat_of,
    serving,
    until_free,
)


async def first_message(app: Client, message: str | bytes) -> tuple[int, str]:
    await app.connection.send(message)
    return await app.closed()


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (b"\x00" * 3200, "3200 bytes as the first message"),
        ("", "JSON"),
        ("hello", "'hello'"),
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"type": "stop"}', "Invalid value 'stop'"),
        ('{"type": "end", "source": "mic"}', "end as the first message"),
        ('{"type": "start"}', "missing required field"),
        ('{"type": "start", "protocol": 2, "sources": ["mic"]}', "Invalid enum value 2"),
        ('{"type": "start", "protocol": 1, "sources": []}', "length >= 1"),
        ('{"type": "start", "protocol": 1, "sources": ["mic", "mic"]}', "each only once"),
        ('{"type": "start", "protocol": 1, "sources": ["desk"]}', "Invalid enum value 'desk'"),
        ('{"type": "start", "protocol": 1, "sources": ["mic"], "hz": 8000}', "unknown field `hz`"),
        ('{"type": "start", "protocol": 1, "sources": ["mic"], "session": "../x"}', "regex"),
        ('{"type": "start", "protocol": 1, "sources": ["mic"], "chunk_seconds": 1e9}', "<= 30"),
        ('"' + "x" * 70_000 + '"', "70002 characters"),
        ("[" * 60_000, "expected `object`"),
        ('{"type": "start", "session": ' + "[" * 60_000, "got `array`"),
    ],
    ids=range(18),
)  # fmt: skip
def test_a_wrong_first_message(message: str | bytes, problem: str) -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            code, reason = await first_message(app, message)
            assert code == Close.BAD_MESSAGE
            (told,) = app.of(Failed)
            assert told.code == code
            assert problem.lower() in told.message.lower()
            assert "allowed: " in told.message
            assert reason
            assert rig.live.sessions == {}

    run(session())


@pytest.mark.slow
def test_audio_before_ready_and_after_the_end_is_refused() -> None:
    class SlowToLoad(Numbers):
        def interrupt(self, stop: bool) -> None:
            if not stop and self.sessions > 1:
                time.sleep(0.2)

    async def session() -> None:
        async with serving(lambda: seat_of(first=SlowToLoad())) as rig:
            async with client(rig) as app:
                await app.say(type="start", protocol=1, sources=["mic"])
                await app.send(PCM)
                code, _ = await app.closed()
                assert code == Close.BAD_MESSAGE
                assert "audio before the session is ready" in app.of(Failed)[0].message
            await until_free(rig)
            async with client(rig) as app:
                await app.start(MIC, SYSTEM)
                await app.send(PCM)
                await app.say(type="end", source="mic")
                await app.send(PCM)
                code, _ = await app.closed()
                assert code == Close.BAD_MESSAGE
                assert "audio of mic after its end" in app.of(Failed)[0].message

    run(session())


def test_a_second_client_for_a_session_is_sent_away() -> None:
    async def session() -> None:
        async with serving(slots=2) as rig, client(rig) as one, client(rig) as other:
            await one.start(session="talk")
            await one.count_to(3)
            await other.say(type="start", protocol=1, sources=["mic"], session="talk")
            assert (await other.closed())[0] == Close.SESSION_TAKEN
            assert "another client sends to talk" in other.of(Failed)[0].message
            await one.count_to(6, first=4)
            await one.say(type="end", source="mic")
            await one.closed()
            assert one.numbers() == [1, 2, 3, 4, 5, 6]

    run(session())


def test_more_sessions_than_there_are_seats_are_sent_away() -> None:
    async def session() -> None:
        async with serving(slots=1) as rig, client(rig) as one, client(rig) as other:
            await one.start()
            await other.say(type="start", protocol=1, sources=["mic"])
            assert (await other.closed())[0] == Close.FULL
            assert "all 1 sessions are taken" in other.of(Failed)[0].message
            await one.count_to(4)
            await one.say(type="end", source="mic")
            await one.closed()
            assert one.numbers() == [1, 2, 3, 4]

    run(session())


def test_onlookers_may_not_send() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start(session="talk")
            for message, problem in (
                (pack(MIC, 0, 1.0, PCM), "audio from a watcher"),
                ('{"type": "end", "source": "mic"}', "end from a watcher"),
            ):
                async with client(rig) as onlooker:
                    await onlooker.say(type="watch")
                    await onlooker.connection.send(message)
                    assert (await onlooker.closed())[0] == Close.BAD_MESSAGE
                    assert problem in onlooker.of(Failed)[0].message
            async with client(rig) as onlooker:
                await onlooker.say(type="watch", session="another")
                assert (await onlooker.closed())[0] == Close.UNKNOWN
                assert "no session another; allowed: talk" in onlooker.of(Failed)[0].message

    run(session())
