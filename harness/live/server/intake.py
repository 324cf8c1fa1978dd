"""Receives one source's audio frames: checks them, fills gaps, and feeds the session."""

import asyncio

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import now_s
from harness.contract import AudioSource
from harness.live.protocol.close_codes import Close, RefusalError
from harness.live.protocol.frames import MAX_SEQUENCE, Frame
from harness.live.server.limits import Bucket, LiveLimits
from harness.session.source import Feed


class Intake:
    """Receives the frames of one source, without waiting for the provider.

    Args:
        source: Whose audio it is.
        limits: Limits on the audio's rate and on gaps.
    """

    def __init__(self, source: AudioSource, limits: LiveLimits) -> None:
        self.source, self._limits = source, limits
        self.received = self.lost = 0
        """Samples; both include those that the sender lost."""
        self.transit_s: float | None = None
        """How much longer the last frame took to arrive than the fastest one."""
        self._sequence = 0
        self._captured_s: float | None = None
        self._fastest_s = float("inf")
        self._budget = Bucket(limits.audio_speed, limits.audio_burst_s, now_s())
        self._ended = asyncio.Event()
        self._stopped = False
        self._feed: Feed | None = None

    @property
    def received_s(self) -> float:
        """Seconds of received audio."""
        return self.received / SAMPLE_RATE_HZ

    @property
    def lost_s(self) -> float:
        """Seconds of audio that the sender lost."""
        return self.lost / SAMPLE_RATE_HZ

    async def play(self, feed: Feed, origin_s: float) -> None:
        """Feed a session until the audio ends (`harness.session.session.Input`)."""
        self._feed = feed
        await self._ended.wait()
        feed.end()

    def push(self, frame: Frame) -> str | None:
        """Receive a frame.

        Returns:
            A warning about an accepted frame; None if all is well.

        Raises:
            RefusalError: It comes twice, out of order, after the end, after a long gap or too fast.
        """
        if self._feed is None:
            raise RefusalError(
                Close.BAD_MESSAGE, "audio before the session is ready", "ready first"
            )
        if self._stopped:
            return None  # the sender doesn't know of the end yet
        if self._ended.is_set():
            raise RefusalError(Close.BAD_MESSAGE, f"audio of {self.source} after its end")
        if not self._budget.take(len(frame.pcm) / SAMPLE_RATE_HZ, now_s()):
            speed = f"{self._limits.audio_speed:g} seconds per second on average"
            raise RefusalError(Close.FLOOD, f"audio of {self.source} comes too fast", speed)
        warning = self._fill_gap(frame)
        if self._captured_s is None:
            queue = self._feed.queue
            queue.start_s = queue.at_s() - len(frame.pcm) / SAMPLE_RATE_HZ
        self._captured_s = frame.captured_s
        self._sequence = (frame.sequence + 1) % MAX_SEQUENCE
        transit_s = now_s() - frame.captured_s
        self._fastest_s = min(self._fastest_s, transit_s)
        self.transit_s = transit_s - self._fastest_s
        self._feed_pcm(frame.pcm)
        return warning

    def end(self) -> None:
        """End the source on the sender's request; its text becomes final."""
        self._ended.set()

    def stop(self) -> None:
        """End the source from the server's side; further frames are ignored."""
        self._stopped = True
        self._ended.set()

    def _feed_pcm(self, pcm: Pcm16) -> None:
        assert self._feed is not None
        self.received += len(pcm)
        self._feed.take(pcm)

    def _fill_gap(self, frame: Frame) -> str | None:
        """Replace frames that the sender lost by silence, and return a warning."""
        missing = (frame.sequence - self._sequence) % MAX_SEQUENCE
        if missing >= MAX_SEQUENCE // 2:
            problem = f"{self.source} frame {frame.sequence} where {self._sequence} is due"
            raise RefusalError(Close.OUT_OF_ORDER, problem, "each frame once, in order")
        if not missing:
            return None
        lost_s = 0.0
        if self._captured_s is not None:
            lost_s = frame.captured_s - len(frame.pcm) / SAMPLE_RATE_HZ - self._captured_s
        if not -self._limits.gap_s <= lost_s <= self._limits.gap_s:
            problem = f"{missing} lost frames of {self.source}, {lost_s:.1f} s"
            raise RefusalError(Close.OUT_OF_ORDER, problem, f"at most {self._limits.gap_s:g} s")
        samples = max(0, round(lost_s * SAMPLE_RATE_HZ))
        self.lost += samples
        if samples:
            self._feed_pcm(np.zeros(samples, np.int16))
        return (
            f"{missing} frames of {self.source} were lost and replaced by {lost_s:.2f} s of silence"
        )
