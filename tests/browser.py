"""A real Chromium without a window, one per session of tests, driven by its DevTools protocol."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.detached import start_detached

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0")  # fmt: skip


def browser_path() -> str | None:
    """Chromium or Chrome, where it is installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(ON_MACOS) if sys.platform == "darwin" and ON_MACOS.exists() else None)


@contextlib.contextmanager
def running_browser(path: str) -> Iterator[str]:
    """Start a browser with a new profile, and end it in any case; gives its address."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        log, pid = Path(profile) / "stderr", Path(profile) / "pid"
        with log.open("wb") as stderr:
            command = [path, *SWITCHES, f"--user-data-dir={profile}", "about:blank"]
            start_detached(command, pid, stderr=stderr)
        try:
            yield _address(log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(pid.read_text()), signal.SIGKILL)


def _address(log: Path, within_s: float = 60.0) -> str:
    deadline_s = time.monotonic() + within_s
    while not (found := re.search(r"DevTools listening on (ws://\S+)\n", log.read_text())):
        assert time.monotonic() < deadline_s, f"the browser gave no address: {log.read_text()}"
        time.sleep(0.02)
    return found[1]


class Tab:
    """One page of a browser."""

    def __init__(self, connection: ClientConnection, session: str = "") -> None:
        self._connection, self._session = connection, session
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        """What happened on the page."""

    async def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol; what happens meanwhile is in `events`."""
        number = next(self._numbers)
        request: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            request["sessionId"] = self._session
        await self._connection.send(json.dumps(request))
        while (message := await self._receive()).get("id") != number:
            pass
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, url: str) -> None:
        """Load a page to its end."""
        self.events.clear()
        await self.ask("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            await self._receive()

    async def run(self, script: str) -> Any:
        """The value of a script on the page; of a promise, what it comes to."""
        answer = await self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str, within_s: float = 30.0) -> Any:
        """Evaluate a script until its value is true."""
        async with asyncio.timeout(within_s):
            while not (value := await self.run(script)):  # noqa: ASYNC110  (no event says so)
                await asyncio.sleep(0.05)
            return value

    async def text(self, selector: str) -> str:
        """The text of an element."""
        found: str = await self.run(f"document.querySelector({selector!r}).innerText")
        return found

    def complaints(self) -> list[str]:
        """What the browser complained about since the page was opened: scripts, policy, loads."""
        wanted = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled",
                  "Network.loadingFailed"}  # fmt: skip
        return [json.dumps(event) for event in self.events if event["method"] in wanted]

    def requests(self) -> list[str]:
        """Every address that the page asked for."""
        return [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]  # fmt: skip

    async def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self._connection.recv())
        if "method" in message:
            self.events.append(message)
        return message


@contextlib.asynccontextmanager
async def new_tab(browser: str, width: int = 1200, height: int = 800) -> AsyncIterator[Tab]:
    """A tab that shares nothing with others, as in a browser of its own."""
    # Without pings: a test may leave the connection alone for longer than they would wait.
    async with connect(browser, max_size=1 << 26, proxy=None, ping_interval=None) as connection:
        root = Tab(connection)
        context = (await root.ask("Target.createBrowserContext"))["browserContextId"]
        target = await root.ask(
            "Target.createTarget", url="about:blank", browserContextId=context,
            width=width, height=height,
        )  # fmt: skip
        attached = await root.ask(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        tab = Tab(connection, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            await tab.ask(f"{domain}.enable")
        yield tab
        await root.ask("Target.disposeBrowserContext", browserContextId=context)
