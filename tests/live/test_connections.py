"""Who may connect to a live server, how many, and how fast."""

import asyncio
import contextlib
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from harness.clock import now_s
from harness.errors import UsageError
from harness.live.protocol.close_codes import Close
from harness.live.protocol.messages import Failed
from harness.live.server.acceptor import listening
from harness.live.server.admission import Admission
from harness.live.server.limits import LiveLimits
from tests.live.rig import Rig, client, run, serving, until_free


@pytest.mark.slow
def test_connections_that_say_nothing_are_ended() -> None:
    limits = LiveLimits(handshake_s=0.3, first_message_s=0.3)

    async def session() -> None:
        async with serving(limits=limits) as rig:
            reader, writer = await asyncio.open_connection("127.0.0.1", rig.admission.port)
            assert await reader.read() == b""  # no handshake at all
            writer.close()
            await writer.wait_closed()
            async with client(rig) as silent:
                assert (await silent.closed())[0] == Close.TOO_SLOW_TO_BEGIN
                assert "no message within 0.3 s" in silent.of(Failed)[0].message

    run(session())


async def served(rig: Rig) -> None:
    async with client(rig) as app:
        await app.start()


@pytest.mark.slow
def test_half_open_connections_are_bounded_and_leave_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = LiveLimits(handshakes=5, connections=3, handshake_s=1.0)

    async def session() -> None:
        async with serving(limits=limits) as rig:
            port = rig.admission.port
            held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(12)]
            most = 0
            async with asyncio.TaskGroup() as both:
                coming = both.create_task(served(rig))  # once some of those before it gave up
                while not coming.done():
                    most = max(most, rig.connections)
                    await asyncio.sleep(0.005)
            assert most == 8
            for _, writer in held:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    run(session())
    assert "handshake" not in caplog.text


def test_a_token_comes_by_header_only() -> None:
    async def session() -> None:
        async with serving(token="s3cret") as rig:
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(rig.url, additional_headers=headers)
                assert refused.value.response.status_code == 401
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{rig.url}?token=s3cret")
            assert refused.value.response.status_code == 400
            assert b"the URL may have no query" in refused.value.response.body
            async with client(rig, additional_headers={"Authorization": "Bearer s3cret"}) as app:
                await app.start()
            await until_free(rig)
            offered = ["echobench.v1", "bearer.czNjcmV0"]
            async with client(rig, subprotocols=offered) as app:
                assert app.connection.subprotocol == "echobench.v1"  # and not the token
                await app.start()
            for wrong in (["echobench.v1", "bearer.d3Jvbmc"], ["bearer.%%%"]):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(rig.url, subprotocols=wrong)  # type: ignore[arg-type]
                assert refused.value.response.status_code == 401

    run(session())


def test_pages_of_others_may_not_connect() -> None:
    async def session() -> None:
        async with serving(origins=["https://app.example"]) as rig:
            port = rig.admission.port
            others: tuple[Any, ...] = (
                "http://evil.example", f"http://evil.example:{port}", "null",
                f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}",
            )  # fmt: skip
            for origin in others:
                with pytest.raises(InvalidStatus) as refused:
                    await connect(rig.url, origin=origin)
                assert refused.value.response.status_code == 403
            for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}",
                           "https://app.example"):  # fmt: skip
                async with client(rig, origin=origin) as app:
                    await app.start()
                await until_free(rig)

    run(session())


def test_connections_are_limited_in_number() -> None:
    async def session() -> None:
        async with serving(limits=LiveLimits(connections=2)) as rig:
            async with client(rig), client(rig):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(rig.url)
                assert refused.value.response.status_code == 503
            await asyncio.sleep(0.1)
            async with client(rig) as app:
                await app.start()

    run(session())


@pytest.mark.slow
def test_who_comes_too_soon_waits_outside_and_is_let_in() -> None:
    async def session() -> None:
        async with serving(limits=LiveLimits(connections_per_s=4.0, connections_burst=3.0)) as rig:
            begin_s = now_s()
            for _ in range(7):
                async with client(rig):
                    pass
            assert now_s() - begin_s > 0.9  # for four of them, a quarter of a second each

    run(session())


@pytest.mark.slow
def test_after_a_client_that_had_to_be_sent_away_others_wait() -> None:
    async def session() -> None:
        async with serving(limits=LiveLimits(connections_per_s=2.0, connections_burst=9.0)) as rig:
            async with client(rig) as nonsense:
                await nonsense.say(type="start", protocol=1, sources=["desk"])
                assert (await nonsense.closed())[0] == Close.BAD_MESSAGE
            begin_s = now_s()
            for _ in range(2):  # one of them may have been paid for already
                async with client(rig):
                    pass
            assert now_s() - begin_s > 0.3

    run(session())


def test_a_client_that_finds_no_seat_is_no_offender() -> None:
    async def session() -> None:
        limits = LiveLimits(connections_per_s=2.0, connections_burst=9.0)
        async with serving(limits=limits) as rig, client(rig) as app:
            await app.start()
            async with client(rig) as second:
                await second.say(type="start", protocol=1, sources=["mic"])
                assert (await second.closed())[0] == Close.FULL
            begin_s = now_s()
            for _ in range(5):
                async with client(rig):
                    pass
            assert now_s() - begin_s < 1.5  # 2 s at least, had the second been charged

    run(session())


async def get(rig: Rig, path: str, host: str | None = None) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.admission.port)
    host = host or f"127.0.0.1:{rig.admission.port}"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def test_the_page_is_there_for_this_machines_names_only() -> None:
    async def session() -> None:
        async with serving() as rig:
            page = await get(rig, "/")
            assert page.startswith(b"HTTP/1.1 200")
            assert b"default-src 'none'" in page
            assert b"<title>" in page
            assert (await get(rig, "/page.js")).startswith(b"HTTP/1.1 200")
            rebound = await get(rig, "/", host=f"evil.example:{rig.admission.port}")
            assert rebound.startswith(b"HTTP/1.1 421")
            for path in ("/nothing", "/../server.py", "/page/__init__.py"):
                assert (await get(rig, path)).startswith(b"HTTP/1.1 404")

    run(session())


def test_a_port_in_use_is_told() -> None:
    async def session() -> None:
        async with serving() as rig:
            admission = Admission(LiveLimits(), None, ())
            with pytest.raises(UsageError, match=r"127\.0\.0\.1:\d+: can't be listened on"):
                async with listening(
                    rig.live, admission, LiveLimits(), "127.0.0.1", rig.admission.port
                ):
                    pass

    run(session())
