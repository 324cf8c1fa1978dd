"""The process of an isolated provider, seen from here: its streams, besides calls."""

import asyncio
import contextlib

from harness.contract import AudioSource
from harness.errors import EchobenchError
from harness.processes.calls import Answer, Call, encode
from harness.processes.isolated.messages import (
    CancelStream,
    FromHost,
    Inference,
    Interrupting,
    Segment,
    WantChunk,
    from_host,
)
from harness.processes.remote import CalledProcess, tell

CANCEL_TIMEOUT_S = 5.0
"""For the provider to let go of a stream that was left."""

Inbox = asyncio.Queue[Segment | WantChunk | Answer | EchobenchError]
"""What comes on a stream; it ends with one of the last two."""


class HostProcess(CalledProcess):
    """The child; belongs to the event loop in which it is made, and has made nothing yet.

    Args:
        name: The provider's name, for messages.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._streams: dict[int, Inbox] = {}
        self.on_event = _ignore
        """Called with what the provider's engine did."""
        module = "harness.processes.isolated.host"
        super().__init__(name, module, from_host.decode, ends_itself=True)

    def open_stream(self, sample_rate: int, source: AudioSource | None) -> tuple[int, Inbox]:
        """Call `transcribe_stream`, and return the stream's number and what comes on it.

        Raises:
            ProviderError: The process is of no use any more.
        """
        if self.failure is not None:
            raise self.failure
        call = Call(next(self._numbers), "transcribe_stream", (sample_rate, source))
        inbox = self._streams[call.number] = asyncio.Queue()
        self.send(encode(call))
        return call.number, inbox

    async def leave_stream(self, stream: int, inbox: Inbox) -> None:
        """Cancel a stream, unless it has ended, and wait until it has."""
        if stream not in self._streams:
            return
        self.send(encode(CancelStream(stream)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_TIMEOUT_S):
                while not isinstance(await inbox.get(), Answer | EchobenchError):
                    pass
        self._streams.pop(stream, None)

    def take(self, message: FromHost) -> None:
        """See `PythonChild`."""
        tell(self._loop, self._take_here, message)

    def fail(self, problem: str) -> None:
        """See `CalledProcess`."""
        super().fail(problem)
        tell(self._loop, self._end_streams)

    async def close(self) -> None:
        """End it: at once if it is dead, else within seconds."""
        self.fail("was ended")
        await asyncio.to_thread(self.end)

    def _take_here(self, message: FromHost) -> None:
        match message:
            case Inference() | Interrupting():
                self.on_event(message)
            case Answer(number=number) if number in self._streams:
                self._streams.pop(number).put_nowait(message)
            case Answer():
                super().take(message)
            case Segment(stream=stream) | WantChunk(stream=stream) if stream in self._streams:
                self._streams[stream].put_nowait(message)

    def _end_streams(self) -> None:
        assert self.failure is not None
        while self._streams:
            self._streams.popitem()[1].put_nowait(self.failure)


def _ignore(message: Inference | Interrupting) -> None:
    pass
