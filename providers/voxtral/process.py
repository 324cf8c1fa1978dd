"""Controls one resident voxtral.c process: starts, feeds, flushes and ends it.

It has no commands; audio is its only input, and text and symbols its only output. Silence makes it
complete its text (`flush`). After it resets itself, silence serves as its prompt (`prime`), since
audio in a prompt isn't recognised.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.errors import ProviderError, StalledError
from harness.processes.child import ChildProcess
from providers.voxtral.answers import Answers, Listener
from providers.voxtral.pace import TOKEN

FLUSH = 17 * TOKEN
"""Samples of silence that complete its text, equal to its own padding. Together with the audio that
it buffers until it computes, a flush takes up to 1.9 s with `-I 0.5`."""
ENDING_S = 3.0
"""Timeout from the first sign of its end to its end."""
MAX_AHEAD = round(2.5 * SAMPLE_RATE_HZ)
"""Samples fed ahead of its answers; more than it processes at once, less than a prompt."""
MAX_PROMPT = 10 * SAMPLE_RATE_HZ
RENEW_AFTER_S, RENEW_AFTER_SILENCE_S = 80.0, 3.0
"""It resets itself after 160 s, or 5.1 s without a word, even in the middle of the next one. So a
reset is provoked earlier, in a pause, where nothing is lost."""
MAX_RENEWAL = 8 * SAMPLE_RATE_HZ


class VoxtralProcess:
    """See the module.

    Args:
        where: Its name in messages.
        argv: The program and its arguments.
        interval_s: The value of `-I` in them.
        timeout_s: How long it may make no progress while it has audio.
    """

    def __init__(
        self, where: str, argv: Sequence[str], interval_s: float, timeout_s: float
    ) -> None:
        self._where, self._argv, self._timeout_s = where, argv, timeout_s
        self._answers = Answers(where, interval_s, self._notify)
        self._pace = self._answers.pace
        self._listener: Listener | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._child: ChildProcess | None = None
        self._is_clean = True

    @property
    def is_usable(self) -> bool:
        """Whether it hasn't failed."""
        return self._answers.failure is None

    @property
    def fed(self) -> int:
        """Samples fed since its start, including silence."""
        return self._pace.fed

    @property
    def prompt_since(self) -> int | None:
        """The sample since which audio is used as its prompt; None while it recognises."""
        return self._pace.prompt_since

    async def start(self, load_s: float) -> None:
        """Start it, and wait until its model is loaded and has computed once.

        Raises:
            ModelError, UnavailableError, ProviderError: It ended instead.
            StalledError: It wasn't ready in time.
        """
        self._use_running_loop()
        answers, loop = self._answers, asyncio.get_running_loop()
        self._child = ChildProcess(
            self._where,
            self._argv,
            lambda errors, output: answers.take(errors, output, loop.time()),
            answers.end,
        )
        try:
            problem = f"had not loaded its model after {load_s:g} s"
            await self._until(lambda: answers.is_loaded, load_s, problem)
            await self.prime()
        except BaseException:
            await asyncio.to_thread(self.end)
            raise

    async def attach(self, listener: Listener) -> None:
        """Set the listener; unfinished text of an earlier listener is discarded."""
        self._use_running_loop()
        if not self._is_clean:
            await self.flush()
        await self.prime()
        self._listener = listener

    def detach(self) -> None:
        """Remove the listener."""
        self._listener = None

    async def begin_utterance(self) -> None:
        """Prepare it for speech that begins a token, so that its position has no effect."""
        await self.prime()
        await self.feed(bytes(-self._pace.fed % TOKEN * BYTES_PER_SAMPLE))
        self._answers.begin_utterance()

    async def feed(self, pcm: bytes) -> None:
        """Feed 16-bit PCM; waits while it has enough, and stops when it uses audio as its prompt.

        Raises:
            StalledError: It accepted no audio for too long.
            ProviderError: It has ended.
        """
        self._is_clean = False
        await self._write(pcm, also_as_prompt=False)

    async def flush(self) -> None:
        """Complete its text: feed silence, and wait until it has answered everything.

        It may reset itself; its text up to there is then complete.
        """
        await self._feed_silence(FLUSH, also_as_prompt=False)
        self._is_clean = True

    async def prime(self) -> None:
        """Feed silence as its prompt, unless it has one.

        Raises:
            ProviderError: It doesn't complete its prompt.
        """
        limit = self._pace.fed + MAX_PROMPT
        while not self._pace.is_prompted:
            if self._pace.fed > limit:
                raise ProviderError(self._where, "did not get ready for speech")
            await self._feed_silence(self._pace.missing_prompt, also_as_prompt=True)

    async def renew(self) -> None:
        """Provoke a reset now, in silence, if one would soon happen in the middle of speech.

        A reset that has just happened may not have been read yet; `feed` then detects it.
        """
        pace = self._pace
        is_due = (
            pace.since_prompt > RENEW_AFTER_S * SAMPLE_RATE_HZ
            or pace.since_text > RENEW_AFTER_SILENCE_S * SAMPLE_RATE_HZ
        )
        if is_due:
            limit = pace.fed + MAX_RENEWAL
            while pace.is_prompted and pace.fed < limit:
                await self._feed_silence(SAMPLE_RATE_HZ, also_as_prompt=True)
        await self.prime()

    def end(self) -> None:
        """End it and its child processes within seconds."""
        if self._child is not None:
            self._child.end()

    async def _feed_silence(self, least: int, *, also_as_prompt: bool) -> None:
        """Feed silence until no audio stays unprocessed, and wait for its answers."""
        samples = self._pace.missing(least)
        await self._write(bytes(samples * BYTES_PER_SAMPLE), also_as_prompt=also_as_prompt)
        await self._until(lambda: self._answers.are_complete)
        await asyncio.sleep(0)  # lets scheduled calls to the listener run
        self._check()

    async def _write(self, pcm: bytes, *, also_as_prompt: bool) -> None:
        """Write as the pipe has room, but less ahead of its answers than a prompt is long.

        So all speech that was used as a prompt is known, and can be fed again.
        """
        child, answers, pace = self._child, self._answers, self._pace
        assert child is not None
        rest = memoryview(bytes(answers.odd_bytes) + pcm)

        def room() -> int:
            return len(rest) if also_as_prompt else BYTES_PER_SAMPLE * (MAX_AHEAD - pace.ahead)

        while rest and (also_as_prompt or self.prompt_since is None):
            await self._until(lambda: room() > 0 or self.prompt_since is not None)
            try:
                with answers.lock:
                    count = child.offer(rest[: max(0, room())])
                    answers.fed(count, asyncio.get_running_loop().time())
            except ProviderError as error:  # how it ended has more detail, and is about to arrive
                await self._until(lambda: False, ENDING_S, error.problem)
            rest = rest[count:]
            if not count:
                try:
                    await child.room(self._timeout_s)
                except StalledError as error:
                    answers.fail(error)
        self._check()

    async def _until(
        self, done: Callable[[], bool], timeout_s: float | None = None, problem: str = ""
    ) -> None:
        """Wait for a condition, as long as the process makes progress within the timeout."""
        timeout_s = timeout_s or self._timeout_s
        problem = problem or f"made no progress for {timeout_s:g} s while it had audio"
        loop, taken, deadline_s = asyncio.get_running_loop(), -1, 0.0
        while True:
            self._check()
            if done():
                return
            if taken != self._pace.taken:
                taken, deadline_s = self._pace.taken, loop.time() + timeout_s
            self._news.clear()
            try:
                async with asyncio.timeout_at(deadline_s):
                    await self._news.wait()
            except TimeoutError:
                self._answers.fail(StalledError(self._where, problem))

    def _check(self) -> None:
        if self._answers.failure is not None:
            raise self._answers.failure

    def _use_running_loop(self) -> None:
        """Use the running event loop for waits and callbacks."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop, self._news = loop, asyncio.Event()

    def _notify(self, call: Callable[[Listener], None]) -> None:
        """Wake a waiting task, and schedule a call with the listener; from any thread."""
        loop, listener = self._loop, self._listener

        def run() -> None:
            self._news.set()
            if listener is not None and listener is self._listener:
                call(listener)

        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits there
                loop.call_soon_threadsafe(run)
