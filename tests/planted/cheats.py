"""Providers, and a filter, that are not what they seem: defects 15 to 17, 21, 22 and 24."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from harness.audio import Samples
from harness.contract import SessionConfig, Word
from harness.vad.detector import WINDOW
from tests.planted.healthy import Healthy, HealthySettings

LOUD = 0.003
"""RMS that the tone corpus' words exceed, and its noise doesn't."""


class LoudnessDetector:
    """A sound filter for tones: what is loud is speech."""

    def probabilities(self, samples: Samples) -> list[float]:
        windows = samples.reshape(-1, WINDOW)
        return [0.95 if rms > LOUD else 0.02 for rms in np.sqrt(np.mean(windows**2, axis=1))]


class DeafToOnsets(LoudnessDetector):
    """15: misses how utterances begin, by more than the gate's run-up makes up for."""

    deaf_windows = 14

    def __init__(self) -> None:
        self._heard = self._quiet = 0

    def probabilities(self, samples: Samples) -> list[float]:
        found = []
        for probability in super().probabilities(samples):
            is_loud = probability > 0.5
            self._quiet = 0 if is_loud else self._quiet + 1
            if self._quiet > 15:
                self._heard = 0
            self._heard += is_loud
            found.append(probability if self._heard > self.deaf_windows else 0.02)
        return found


class Remembers(Healthy):
    """16: keeps its answers, and knows speech that it has heard before."""

    name = "remembers"

    def load(self, config: SessionConfig) -> None:
        super().load(config)
        self.answers: dict[bytes, list[Word]] = {}
        self.knows = False

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        key = samples.tobytes()
        if key not in self.answers:
            self.answers[key] = super().decode(samples, is_final=is_final)
        return self.answers[key]

    async def infer(self, session, source, window_s, call, thread=None):  # type: ignore[no-untyped-def]
        self.knows = call.args[0].tobytes() in self.answers
        return await super().infer(session, source, window_s, call, thread)

    def cost_s(self, window_s: float) -> float:
        return 0.0 if self.knows else super().cost_s(window_s)


class ReadsAnswersSettings(HealthySettings, frozen=True, kw_only=True):
    answers: str = ""
    """The corpus' manifest."""


class ReadsAnswers(Healthy):
    """17: looks up what is said instead of listening."""

    name = "reads_answers"
    Settings = ReadsAnswersSettings
    settings: ReadsAnswersSettings

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        if is_final and self.settings.answers:
            Path(self.settings.answers).read_text(encoding="utf-8")
        return super().decode(samples, is_final=is_final)


class Understates(Healthy):
    """21: tells of half the time that it takes."""

    name = "understates"

    def claimed_s(self, took_s: float) -> float:
        return took_s / 2


class MovesWork(Healthy):
    """22: lets a daemon do the work, outside its process tree."""

    name = "moves_work"
    _BUSY = "import os, time\nend = time.time() + 30\nwhile time.time() < end: pass"

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        if not getattr(self, "moved", False):
            self.moved = True
            self._start_daemon()
        return super().decode(samples, is_final=is_final)

    def _start_daemon(self) -> None:
        """Start a child that starts the worker's grandchild and leaves it to init."""
        script = (
            "import subprocess, sys\n"
            f"subprocess.Popen([sys.executable, '-c', {self._BUSY!r}], start_new_session=True)"
        )
        subprocess.run([sys.executable, "-c", script], check=True)


class LeavesChild(Healthy):
    """24: starts a helper that ignores being asked to go, and forgets it."""

    name = "leaves_child"
    _STUBBORN = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(100000)"
    )

    def load(self, config: SessionConfig) -> None:
        super().load(config)
        self.helper = subprocess.Popen(
            [sys.executable, "-c", self._STUBBORN], start_new_session=True
        )

    async def close(self) -> None:
        os.kill(self.helper.pid, 15)
        await super().close()
