"""One resident voxtral.c, kept in order: started, fed, brought to say its last word, and ended.

It has no command for anything: what it says is all that it answers. Silence makes it finish its
words (`flush`), and after a reset of its own, silence is what it gets for its prompt (`prime`),
since nothing in a prompt is recognised.
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
"""Samples of silence that make it say its last word: what it pads with itself. What it holds back
until it computes comes on top; with `-I 0.5`, that makes up to 1.9 s."""
ENDING_S = 3.0
"""Between the first sign that it ends and its end."""
MAX_AHEAD = round(2.5 * SAMPLE_RATE_HZ)
"""Samples that it is fed before it answers; more than it computes at once, less than a prompt."""
MAX_PROMPT = 10 * SAMPLE_RATE_HZ
RENEW_AFTER_S, RENEW_AFTER_SILENCE_S = 80.0, 3.0
"""It resets itself after 160 s, or 5.1 s without a word, be it in the middle of the next one. So
that is brought about earlier, where nothing is lost by it."""
MAX_RENEWAL = 8 * SAMPLE_RATE_HZ


class VoxtralProcess:
    """See the module.

    Args:
        where: What to call it in messages.
        argv: The program and its arguments.
        interval_s: What `-I` in them says.
        timeout_s: How long it may do nothing with audio at hand.
    """

    def __init__(
        self, where: str, argv: Sequence[str], interval_s: float, timeout_s: float
    ) -> None:
        self._where, self._argv, self._timeout_s = where, argv, timeout_s
        self._answers = Answers(where, interval_s, self._tell)
        self._pace = self._answers.pace
        self._listener: Listener | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._child: ChildProcess | None = None
        self._is_clean = True

    @property
    def is_usable(self) -> bool:
        """Whether nothing has gone wrong with it."""
        return self._answers.failure is None

    @property
    def fed(self) -> int:
        """How many samples it has been fed since it was started, silence and all."""
        return self._pace.fed

    @property
    def deaf_since(self) -> int | None:
        """After how many samples it went deaf: what follows is its prompt; None while it hears."""
        return self._pace.deaf_since

    async def start(self, load_s: float) -> None:
        """Start it, and wait until its model is loaded and has worked once.

        Raises:
            ModelError, UnavailableError, ProviderError: It ended instead; says why.
            StalledError: It wasn't ready in time.
        """
        self._attend()
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
        """Tell somebody what it does from now on; what it hasn't said for another is lost."""
        self._attend()
        if not self._is_clean:
            await self.flush()
        await self.prime()
        self._listener = listener

    def detach(self) -> None:
        """Tell nobody any more."""
        self._listener = None

    async def begin_utterance(self) -> None:
        """Get it ready for speech, which begins a token, so that it is heard as at another time."""
        await self.prime()
        await self.feed(bytes(-self._pace.fed % TOKEN * BYTES_PER_SAMPLE))
        self._answers.begin_utterance()

    async def feed(self, pcm: bytes) -> None:
        """Give it 16-bit PCM; waits while it has enough of it, and stops when it has gone deaf.

        Raises:
            StalledError: It took nothing for too long.
            ProviderError: It has ended.
        """
        self._is_clean = False
        await self._write(pcm, also_when_deaf=False)

    async def flush(self) -> None:
        """Make it say all that it heard: feed silence, and wait until it has nothing left to do.

        It may go deaf, and has then said what it heard before.
        """
        await self._hear_silence(FLUSH, also_when_deaf=False)
        self._is_clean = True

    async def prime(self) -> None:
        """Give it silence for a prompt, unless it has one.

        Raises:
            ProviderError: It never has enough.
        """
        limit = self._pace.fed + MAX_PROMPT
        while not self._pace.is_prompted:
            if self._pace.fed > limit:
                raise ProviderError(self._where, "did not get ready for speech")
            await self._hear_silence(self._pace.missing_prompt, also_when_deaf=True)

    async def renew(self) -> None:
        """Let it reset itself now, in silence, if it would soon do that in the middle of speech.

        A reset that it has just done may not have been read yet; speech then finds out.
        """
        pace = self._pace
        is_due = (
            pace.since_prompt > RENEW_AFTER_S * SAMPLE_RATE_HZ
            or pace.since_text > RENEW_AFTER_SILENCE_S * SAMPLE_RATE_HZ
        )
        if is_due:
            limit = pace.fed + MAX_RENEWAL
            while pace.is_prompted and pace.fed < limit:
                await self._hear_silence(SAMPLE_RATE_HZ, also_when_deaf=True)
        await self.prime()

    def end(self) -> None:
        """End it and all that it started, within seconds."""
        if self._child is not None:
            self._child.end()

    async def _hear_silence(self, least: int, *, also_when_deaf: bool) -> None:
        """Feed so many samples of silence that it holds nothing back, and wait for its answers."""
        samples = self._pace.missing(least)
        await self._write(bytes(samples * BYTES_PER_SAMPLE), also_when_deaf=also_when_deaf)
        await self._until(lambda: self._answers.are_complete)
        await asyncio.sleep(0)  # what it said is told first
        self._check()

    async def _write(self, pcm: bytes, *, also_when_deaf: bool) -> None:
        """Write as the pipe has room, and never so far ahead that a deaf process gets a prompt.

        So whoever feeds speech knows all of it that was taken for a prompt.
        """
        child, answers, pace = self._child, self._answers, self._pace
        assert child is not None
        rest = memoryview(bytes(answers.odd_bytes) + pcm)

        def room() -> int:
            return len(rest) if also_when_deaf else BYTES_PER_SAMPLE * (MAX_AHEAD - pace.ahead)

        while rest and (also_when_deaf or self.deaf_since is None):
            await self._until(lambda: room() > 0 or self.deaf_since is not None)
            try:
                with answers.lock:
                    count = child.offer(rest[: max(0, room())])
                    answers.asked(count, asyncio.get_running_loop().time())
            except ProviderError as error:  # how it ended says more, and is about to be told
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
        """Wait until it is done, as long as the process gets on with its audio now and then."""
        timeout_s = timeout_s or self._timeout_s
        problem = problem or f"said nothing for {timeout_s:g} s with audio at hand"
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

    def _attend(self) -> None:
        """Belong to the event loop that is running now."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop, self._news = loop, asyncio.Event()

    def _tell(self, call: Callable[[Listener], None]) -> None:
        """Wake whoever waits, and have the listener called; from any thread."""
        loop, listener = self._loop, self._listener

        def told() -> None:
            self._news.set()
            if listener is not None and listener is self._listener:
                call(listener)

        if loop is not None:
            with contextlib.suppress(RuntimeError):  # that loop is closed: nobody waits there
                loop.call_soon_threadsafe(told)
