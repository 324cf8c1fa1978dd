"""One resident voxtral.c, kept in order: started, fed, brought to say its last word, and ended.

It has no command for anything: what it says is all that it answers. Silence makes it finish its
words (`flush`), and after a reset of its own, silence is what it gets for its prompt (`prime`),
since nothing in a prompt is recognised.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.errors import ProviderError
from harness.watch import StalledError
from providers.policies.childprocess import ChildProcess
from providers.policies.voxtral_answers import Answers, Listener
from providers.policies.voxtral_errors import explained
from providers.policies.voxtral_pace import LONGEST_PROMPT_S, PROMPT_S

READY = "Model loaded."
FLUSH_S = 2.1
"""Silence that makes it say its last word: 17 tokens of padding, and what it reads at once."""
QUIET_S = 0.03
"""After its last symbol, its last text may take so long to be read."""
TOKEN = SAMPLE_RATE_HZ * 80 // 1000
RENEW_AFTER_S = 80.0
"""It resets itself after 160 s, be it in the middle of a word; in silence it does so earlier."""
LONGEST_RENEWAL_S = 8.0


class VoxtralProcess:
    """See the module.

    Args:
        where: What to call it in messages.
        argv: The program and its arguments.
        interval_s: What `-I` in them says.
        patience_s: How long it may do nothing with audio at hand.
    """

    def __init__(
        self, where: str, argv: Sequence[str], interval_s: float, patience_s: float
    ) -> None:
        self._where, self._argv, self._patience_s = where, argv, patience_s
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

    async def start(self, load_s: float) -> None:
        """Start it, and wait until its model is loaded and has worked once.

        Raises:
            ModelError, UnavailableError, ProviderError: It ended instead; says why.
            StalledError: It wasn't ready in time.
        """
        self._attend()
        answers, loop = self._answers, asyncio.get_running_loop()
        self._child = child = ChildProcess(
            self._where,
            self._argv,
            answers.take_text,
            lambda part: answers.take_symbols(part, loop.time()),
            lambda how: answers.fail(explained(self._where, how, child.errors())),
        )
        try:
            problem = f"had not loaded its model after {load_s:g} s"
            await self._until(lambda: READY in child.errors(), load_s, problem)
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

    async def begin_utterance(self) -> int:
        """Get it ready for speech, and return how many samples it has been fed.

        Speech begins with a token, so that it is heard as it would be at another time.
        """
        await self.prime()
        await self.feed(bytes(-self._pace.fed % TOKEN * BYTES_PER_SAMPLE))
        self._answers.begin_utterance()
        return self._pace.fed

    async def feed(self, pcm: bytes) -> None:
        """Give it 16-bit PCM; waits while it has enough of it.

        Raises:
            StalledError: It took nothing for too long.
            ProviderError: It has ended.
        """
        child, answers = self._child, self._answers
        assert child is not None
        self._is_clean = False
        rest = memoryview(pcm)
        while rest:
            self._check()
            with answers.lock:
                count = child.offer(rest)
                answers.asked(count, asyncio.get_running_loop().time())
            rest = rest[count:]
            if not count:
                try:
                    await child.room(self._patience_s)
                except StalledError as error:
                    answers.fail(error)
        self._check()

    async def flush(self) -> None:
        """Make it say all that it heard: feed silence, and wait until it has nothing left to do."""
        await self._hear_silence(FLUSH_S)
        self._is_clean = True

    async def prime(self) -> None:
        """Give it silence for a prompt, unless it has one.

        Raises:
            ProviderError: It never has enough.
        """
        limit = self._pace.fed + LONGEST_PROMPT_S * SAMPLE_RATE_HZ
        while not self._pace.is_prompted:
            if self._pace.fed > limit:
                raise ProviderError(self._where, "did not get ready for speech")
            await self._hear_silence(0.0 if self._pace.is_new else PROMPT_S)

    async def renew(self) -> None:
        """Let it reset itself now, in silence, if it would soon do that in the middle of speech."""
        if self._pace.since_prompt > RENEW_AFTER_S * SAMPLE_RATE_HZ:
            limit = self._pace.fed + LONGEST_RENEWAL_S * SAMPLE_RATE_HZ
            while self._pace.is_prompted and self._pace.fed < limit:
                await self._hear_silence(1.0)
        await self.prime()

    def end(self) -> None:
        """End it and all that it started, within seconds."""
        if self._child is not None:
            self._child.end()

    async def _hear_silence(self, least_s: float) -> None:
        """Feed silence, so much that it holds nothing back, and wait for its answers."""
        samples = self._pace.missing(max(1, round(least_s * SAMPLE_RATE_HZ)))
        was_clean = self._is_clean
        await self.feed(bytes(samples * BYTES_PER_SAMPLE))
        problem = f"said nothing for {self._patience_s:g} s with audio at hand"
        count = -1
        while count != self._answers.count:
            await self._until(lambda: self._answers.are_complete, self._patience_s, problem)
            count = self._answers.count
            await asyncio.sleep(QUIET_S)
        self._check()
        self._is_clean = was_clean

    async def _until(self, done: Callable[[], bool], patience_s: float, problem: str) -> None:
        """Wait until it is done; for a process that answers now and then, as long as it likes."""
        while not done():
            self._check()
            self._news.clear()
            try:
                async with asyncio.timeout(patience_s):
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
