"""Providers whose model doesn't stay, or whose cost doesn't: defects 1 to 7, and 9."""

import mmap
import subprocess
from collections.abc import AsyncIterator

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ASRSegment, AudioSource, Word
from tests.planted.healthy import Healthy


class ReadsAgain(Healthy):
    """1: reads the model for each decode."""

    name = "reads_again"

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        assert self.model is not None
        self.model.read_bytes()
        return super().decode(samples, is_final=is_final)

    def cost_s(self, window_s: float) -> float:
        return super().cost_s(window_s) + self.load_took_s


class MapsAgain(Healthy):
    """2: maps the model for each decode, which costs next to nothing."""

    name = "maps_again"

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        assert self.model is not None
        with (
            self.model.open("rb") as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as all_,
        ):
            all_[:: mmap.PAGESIZE]
        return super().decode(samples, is_final=is_final)


class StartsChildren(Healthy):
    """3: starts a process for each decode."""

    name = "starts_children"

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        subprocess.run(["true"], check=True)
        return super().decode(samples, is_final=is_final)


class ReloadsNowAndThen(Healthy):
    """4: loads again at every tenth stream."""

    name = "reloads_now_and_then"
    streams = 0
    due = False

    def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        self.streams += 1
        self.due = self.streams % 10 == 0
        return super().transcribe_stream(pcm_stream, sample_rate, source)

    def cost_s(self, window_s: float) -> float:
        extra_s = 0.0
        if self.due and self.model is not None:
            self.model.read_bytes()
            extra_s, self.due = self.load_took_s, False
        return super().cost_s(window_s) + extra_s


class LoadsLate(Healthy):
    """5: says that it is ready, and loads at the first decode."""

    name = "loads_late"

    def cost_s(self, window_s: float) -> float:
        extra_s = 3 * self.settings.load_s if self.decodes == 1 else 0.0
        return super().cost_s(window_s) + extra_s


class Slows(Healthy):
    """6: takes 4 ms longer with each decode."""

    name = "slows"

    def cost_s(self, window_s: float) -> float:
        return super().cost_s(window_s) + 0.004 * self.decodes


class Leaks(Healthy):
    """7: keeps a megabyte of each decode."""

    name = "leaks"

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        self.kept = [*getattr(self, "kept", []), b"\x01" * (1 << 20)]
        return super().decode(samples, is_final=is_final)


class FallsBehind(Healthy):
    """9: takes 1.05 s for each second of audio, whatever else it does."""

    name = "falls_behind"

    def cost_s(self, window_s: float) -> float:
        return 1.05
