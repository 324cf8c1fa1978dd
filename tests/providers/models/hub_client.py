"""A child process with the real client of the hub, and what its answers are checked by."""

import os
import subprocess
import sys
from pathlib import Path

from models import EMBEDDED
from tests.providers.engines import ROOT
from tests.providers.hub import Hub

GGML = EMBEDDED / "ggml-q8_0.bin"
CT2 = EMBEDDED / "ct2"
CODE = """
import sys
from harness.errors import EchobenchError
from harness.provider.choice import parse_provider
from harness.provider.registry import make_provider
for line in sys.stdin:
    provider, model = line.rstrip("\\n").split("\\t")
    try:
        print("at", make_provider(*parse_provider(provider)).locate_model(model), flush=True)
    except EchobenchError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""
NOWHERE = "http://127.0.0.1:9"


class Client:
    """A process with the hub's client in it, which reads its settings once and for all."""

    def __init__(self, hub: Hub, home: Path, **more: str) -> None:
        self.hub, self.home = hub, home
        self.process = python(hub, home, "-c", CODE, **more)

    def locate(self, provider: str, model: str) -> str:
        """What a provider says when it is asked for a model: "at" its path, or its one error."""
        self.ask(provider, model)
        return self.answer()

    def ask(self, provider: str, model: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{provider}\t{model}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        assert answer.startswith(("at ", "ModelError: ")), answer + self.process.stdout.read()
        assert len(answer) < 1000
        return answer.rstrip("\n")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def python(hub: Hub, home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **hub.environment(home), **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if "pytest" in arguments else subprocess.DEVNULL,
        text=True,
    )


def path_in(answer: str) -> Path:
    assert answer.startswith("at "), answer
    return Path(answer.removeprefix("at "))


def refused(answer: str, *words: str) -> None:
    assert answer.startswith("ModelError: "), answer
    assert "; allowed: " in answer
    for word in words:
        assert word in answer
