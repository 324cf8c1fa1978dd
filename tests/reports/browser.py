"""A tab of the browser, for tests that are no coroutines."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.browser import Tab, new_tab

PAINTED = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))"


class Page:
    """A tab, and the loop on which it is asked."""

    def __init__(self, runner: asyncio.Runner, tab: Tab) -> None:
        self._runner, self._tab = runner, tab
        self.complaints, self.requests = tab.complaints, tab.requests

    def do(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol."""
        return self._runner.run(self._tab.ask(method, **params))

    def ask(self, script: str) -> Any:
        """The value of an expression on the page."""
        return self._runner.run(self._tab.run(script))

    def open(self, file: Path) -> None:
        """Load a file to its end, and wait until it is painted."""
        self._runner.run(self._tab.open(file.resolve().as_uri()))
        self.ask(PAINTED)

    def show(self, width: int, dark: bool = False, media: str = "") -> None:
        """Set the window's width, the colours asked for, and the medium."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900,
                deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def press_tab(self) -> None:
        """Press the tab key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                    windowsVirtualKeyCode=9)  # fmt: skip


@contextlib.contextmanager
def new_page(browser: str) -> Iterator[Page]:
    """A tab that is closed in any case."""
    with asyncio.Runner() as runner:
        tab = new_tab(browser)
        try:
            yield Page(runner, runner.run(tab.__aenter__()))
        finally:
            runner.run(tab.__aexit__(None, None, None))
