"""A real browser without a window, told what to do through its own protocol over a pipe.

Chromium reads commands from file descriptor 3 and answers on 4, each a JSON object with a zero
byte behind it. Nothing but the browser itself is needed.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe")  # fmt: skip
NOISE = {"dbus", "gcm"}


def browser_path() -> str | None:
    """Chromium or Chrome, where it is installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(ON_MACOS) if sys.platform == "darwin" and ON_MACOS.exists() else None)


class Page:
    """A tab of a browser.

    Args:
        commands: Where commands are written.
        answers: Where answers are read.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = os.fdopen(commands, "wb")
        self._answers = os.fdopen(answers, "rb")
        self._number, self._rest, self._session = 0, b"", ""
        self.events: list[dict[str, Any]] = []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        attached = self.do("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command, and wait for its answer; what happens meanwhile is in `events`."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        self._commands.write(json.dumps(command).encode() + b"\0")
        self._commands.flush()
        while (message := self._read()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def open(self, file: Path) -> None:
        """Load a file to its end."""
        self.events.clear()
        self.do("Page.navigate", url=file.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())
        painted = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))"
        self.do("Runtime.evaluate", expression=painted, awaitPromise=True)

    def ask(self, script: str) -> Any:
        """The value of an expression on the page."""
        found = self.do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

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

    def complaints(self) -> list[str]:
        """What the browser complained about since the page was opened: scripts, policy, loads."""
        wanted = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled",
                  "Network.loadingFailed"}  # fmt: skip
        return [json.dumps(event) for event in self.events if event["method"] in wanted]

    def requests(self) -> list[str]:
        """Every address that the page asked for."""
        return [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]  # fmt: skip

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._answers.fileno(), 1 << 20)
            assert more, "the browser ended"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def close(self) -> None:
        self._commands.close()
        self._answers.close()


@contextlib.contextmanager
def browser(path: str) -> Iterator[Page]:
    """Start a browser, with a profile of its own, and end it in any case."""
    commands_in, commands_out = os.pipe()
    answers_in, answers_out = os.pipe()

    def hand_over() -> None:
        os.dup2(commands_in, 13)
        os.dup2(answers_out, 14)
        os.dup2(13, 3)
        os.dup2(14, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [path, *SWITCHES, f"--user-data-dir={profile}"],
            preexec_fn=hand_over,
            pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(commands_in)
        os.close(answers_out)
        page = None
        try:
            page = Page(commands_out, answers_in)
            yield page
        finally:
            if page is not None:
                page.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()
