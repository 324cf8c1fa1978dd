"""A real Chromium, without a window, driven through its DevTools protocol."""

import asyncio
import base64
import contextlib
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
START_S = 30.0


class Tab:
    """One page."""

    def __init__(self, connection: ClientConnection, session: str = "") -> None:
        self._connection, self._session = connection, session
        self._numbers = itertools.count(1)
        self.said: list[str] = []
        """What the page wrote to its console, and errors that nobody caught."""

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        request: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            request["sessionId"] = self._session
        await self._connection.send(json.dumps(request))
        while True:
            message = json.loads(await self._connection.recv())
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.said.append(json.dumps(message["params"]))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def run(self, script: str) -> Any:
        """Evaluate a script in the page."""
        answer = await self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str, within_s: float = 10.0) -> Any:
        """Evaluate a script until what it gives is true."""
        async with asyncio.timeout(within_s):
            while not (value := await self.run(script)):  # noqa: ASYNC110  (nothing tells)
                await asyncio.sleep(0.05)
            return value

    async def text(self, selector: str) -> str:
        """The text of an element."""
        found: str = await self.run(f"document.querySelector({selector!r}).innerText")
        return found

    async def screenshot(self) -> bytes:
        """What the page looks like, as a PNG."""
        image = await self.ask("Page.captureScreenshot", format="png")
        return base64.b64decode(image["data"])


@contextlib.asynccontextmanager
async def browsing(
    url: str, profile: Path, size: tuple[int, int] = (1200, 800)
) -> AsyncIterator[Tab]:
    """Open a page."""
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
        f"--user-data-dir={profile}", "--no-first-run", "--disable-background-networking",
        f"--window-size={size[0]},{size[1]}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            address = None
            while address is None:
                line = (await process.stderr.readline()).decode()
                assert line, "the browser ended"
                address = re.search(r"DevTools listening on (ws://\S+)", line)
        draining = asyncio.create_task(process.stderr.read())
        async with connect(address[1], max_size=1 << 26, proxy=None) as connection:
            target = await Tab(connection).ask("Target.createTarget", url="about:blank")
            attached = await Tab(connection).ask(
                "Target.attachToTarget", targetId=target["targetId"], flatten=True
            )
            tab = Tab(connection, attached["sessionId"])
            for domain in ("Page", "Runtime", "Log"):
                await tab.ask(f"{domain}.enable")
            await tab.ask("Page.navigate", url=url)
            await tab.until(f"location.href === {url!r} && document.readyState === 'complete'")
            yield tab
        draining.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
