"""The page in a real browser: captions, figures, the ladder, and nothing that a text could do."""

import asyncio
from typing import Any

import pytest

from harness.contract import ASRSegment
from harness.ladder.state_machine import read_rules
from harness.live.server.provider_slots import ProviderSlot
from tests.browser import new_tab
from tests.ladder.numbers import Numbers
from tests.live.rig import MIC, SYSTEM, Rig, client, run, seat_of, serving
from tests.live.test_server import twenty_times_quicker

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"


def page(rig: Rig) -> str:
    return f"http://127.0.0.1:{rig.admission.port}/"


class Hostile(Numbers):
    """Says markup."""

    async def transcribe_stream(self, *given: Any, **named: Any) -> Any:
        async for segment in super().transcribe_stream(*given, **named):
            assert isinstance(segment, ASRSegment)
            yield segment
            break
        final = segment.__class__(
            source=segment.source, segment_id=segment.segment_id, revision=1, is_final=True,
            text=HOSTILE, t0=segment.t0, t1=segment.t1,
        )  # fmt: skip
        yield final
        async for _ in given[0]:
            pass


def test_captions_figures_and_the_ladder(chromium: str) -> None:
    def make() -> ProviderSlot:
        return seat_of(first=Numbers(cost=0.9), smaller=Numbers(3, cost=0.01))

    async def session() -> None:
        async with (
            serving(make, rules=twenty_times_quicker(read_rules())) as rig,
            new_tab(chromium) as tab,
            client(rig) as app,
        ):
            await tab.open(page(rig))
            await tab.until("document.querySelector('#session').innerText.includes('waiting')")
            await app.start(MIC, session="talk")
            await tab.until("document.querySelector('#session').innerText.includes('talk')")
            assert await tab.text("#session") == "talk · numbers first · 0.5 s chunks"
            assert await tab.text("#ladder .here") == "normal"
            await app.count_to(8)
            await tab.until("document.querySelectorAll('#finals li').length >= 1")
            assert await tab.text("#finals .mic .what") == "1 2 3 4"
            assert await tab.text("#finals .mic .when") == "0:00"
            await tab.until("document.querySelector('#partials .mic .what').innerText.length > 0")
            await tab.until("document.querySelector('#ladder .here').innerText === 'warning'")
            assert "recognition is getting slow" in await tab.text("#notices")
            await tab.until("parseFloat(document.querySelector('#rtf').innerText) > 0.5")
            assert (await tab.text("#queue")).endswith(" s")
            assert (await tab.text("#memory")).endswith(" MiB")
            assert await tab.text("#dropped") == "0"
            await tab.run("document.querySelector('#reset').click()")
            await tab.until("document.querySelector('#ladder .here').innerText === 'normal'")
            assert "asked for on the page" in await tab.text("#notices")
            await app.say(type="end", source="mic")
            await app.closed()
            await tab.until("document.querySelector('#notices').innerText.includes('ended')")
            said = "[...document.querySelectorAll('#finals .what')].map(e => e.innerText).join(' ')"
            assert await tab.run(said) == "1 2 3 4 5 6 7 8"
            assert tab.complaints() == []  # no error, no blocked resource

    run(session())


def test_a_text_is_never_markup(chromium: str) -> None:
    async def session() -> None:
        async with (
            serving(lambda: seat_of(first=Hostile(cost=0.0))) as rig,
            new_tab(chromium) as tab,
            client(rig) as app,
        ):
            await tab.open(page(rig))
            await tab.until("document.querySelector('#session').innerText.includes('waiting')")
            await app.start()
            await app.count_to(3)
            await tab.until("document.querySelectorAll('#finals li').length === 1")
            assert await tab.text("#finals .what") == HOSTILE
            assert (
                await tab.run("document.querySelectorAll('#finals img, #finals script').length")
                == 0
            )
            assert await tab.run("document.title") == "echobench live captions"
            # Even a script that got in could not run: the page allows only its own file.
            await tab.run("""
                const made = document.createElement("script");
                made.textContent = "document.title = 'owned'";
                document.body.append(made);
            """)
            assert await tab.run("document.title") == "echobench live captions"

    run(session())


def test_a_token_is_asked_for_and_stays_out_of_the_url(chromium: str) -> None:
    async def session() -> None:
        async with (
            serving(token="pässword") as rig,
            new_tab(chromium) as tab,
        ):
            await tab.open(page(rig))
            await tab.until("!document.querySelector('#entry').hidden")
            assert "a token may be needed" in await tab.text("#session")
            for token, outcome in (
                ("wrong", "refused: a token"),
                ("pässword", "waiting for a session"),
            ):
                await tab.run(f"document.querySelector('#token').value = {token!r}")
                await tab.run("document.querySelector('#entry button').click()")
                await asyncio.sleep(0.3)
                await tab.until(
                    f"document.querySelector('#session').innerText.includes({outcome!r})"
                )
            assert await tab.run("document.querySelector('#entry').hidden") is True
            assert await tab.run("location.href") == page(rig)
            assert "ssword" not in await tab.run(
                "performance.getEntries().map(entry => entry.name).join(' ')"
            )

    run(session())


def test_it_fits_a_narrow_window(chromium: str) -> None:
    async def session() -> None:
        async with (
            serving() as rig,
            new_tab(chromium, width=420) as tab,
            client(rig) as app,
        ):
            await tab.open(page(rig))
            await tab.until("document.querySelector('#session').innerText.includes('waiting')")
            await app.start(MIC, SYSTEM)
            await app.count_to(55)
            await tab.until("document.querySelectorAll('#finals li').length > 10")
            assert await tab.run("window.innerWidth") == 420
            wider = "document.documentElement.scrollWidth > window.innerWidth"
            assert await tab.run(wider) is False
            for source in (MIC, SYSTEM):
                await app.say(type="end", source=source)
            await app.closed()  # which reads all that it was sent

    run(session())
