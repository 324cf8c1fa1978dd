"""Sets up a live server from the user's options, and runs it until a signal stops it."""

import asyncio
import contextlib
import logging
import signal
from dataclasses import dataclass
from pathlib import Path

from harness.contract import ASRProvider
from harness.errors import UsageError
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.state_machine import read_rules
from harness.live.server.acceptor import listening
from harness.live.server.admission import Admission
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot, ProviderSlots
from harness.live.server.server import LiveServer
from harness.live.server.session import LiveSettings
from harness.live.server.session_log import SessionLog
from harness.machine.profile import describe_machine
from harness.machine.recommendation import recommend
from harness.meters.meters import Meters
from harness.processes.isolated.provider import OutOfProcessProvider
from harness.provider.choice import Choice, choose_providers
from harness.provider.registry import make_provider
from harness.provider.timeouts import timeouts_from_env
from harness.session.settings import SessionSettings
from harness.support.sanitize import sanitize

log = logging.getLogger("echobench.live")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHARED_S = 0.5
FINISH_S = 10.0
"""Time for the last finals when the server is stopped."""


@dataclass(frozen=True)
class Serving:
    """The options of `live serve`."""

    provider: str | None
    model: str | None
    smaller: str | None
    fallbacks: tuple[str, ...]
    chunk_seconds: float
    queue_s: float
    vad: str | None
    sessions: int
    host: str
    port: int
    origins: tuple[str, ...]
    token: str | None
    keep: Path | None
    in_process: bool


async def serve(serving: Serving) -> None:
    """Serve clients until SIGINT or SIGTERM; then end all sessions in order.

    Raises:
        EchobenchError: An option can't be met.
    """
    if serving.host not in LOOPBACK and serving.token is None:
        problem = "other machines could connect without a token"
        raise UsageError(f"--host {serving.host}", problem, "a token, or 127.0.0.1")
    log_to_stderr()
    limits = LiveLimits()
    choice, others = choose(serving)
    slots = ProviderSlots(lambda: make_slot(serving, choice, others), serving.sessions)
    session_log = SessionLog(serving.keep)
    settings = SessionSettings(
        serving.chunk_seconds, serving.queue_s, timeouts_from_env(), serving.vad, Meters(SHARED_S)
    )
    live = LiveServer(slots, LiveSettings(settings, read_rules(), limits), session_log)
    admission = Admission(limits, serving.token, serving.origins)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        loading = asyncio.ensure_future(slots.load())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loading
            return
        await loading
        async with listening(live, admission, limits, serving.host, serving.port):
            log.info("captions at http://%s:%d/", _host(serving.host), admission.port)
            await stopping
            await live.finish(FINISH_S)
    finally:
        session_log.close()
        await slots.close()


def log_to_stderr() -> None:
    """Write the server's own log messages, and no library's, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def choose(serving: Serving) -> tuple[Choice, list[Choice]]:
    """The first provider and its fallbacks; logs the machine and what is recommended for it.

    Raises:
        UsageError: A provider isn't known or can't run here.
    """
    machine = describe_machine()
    advice = recommend(machine)
    log.info("machine: %s", sanitize(str(machine)))
    log.info("recommended here: %s", sanitize(str(advice)) if advice else "nothing")
    asked = [serving.provider] if serving.provider else []
    ready, _ = choose_providers(asked, [serving.model] if serving.model else [])
    preferred = [choice for choice in ready if advice and choice.provider.name == advice.provider]
    first = (preferred or ready)[0]
    others, _ = choose_providers(serving.fallbacks) if serving.fallbacks else ([], {})
    log.info("provider: %s", first.provider.name)
    return first, others


def make_slot(serving: Serving, choice: Choice, others: list[Choice]) -> ProviderSlot:
    """Create a slot with providers of its own, without loading a model."""

    def make(choice: Choice) -> ASRProvider:
        provider = make_provider(choice.provider.name, choice.settings)
        return provider if serving.in_process else OutOfProcessProvider(provider, choice.settings)

    model = serving.model or choice.provider.default_model
    first = Member(make(choice), model)
    smaller = Member(make(choice), serving.smaller) if serving.smaller else None
    fallbacks = [Member(make(other), other.provider.default_model) for other in others]
    failover = FailoverProvider([first, *([smaller] if smaller else []), *fallbacks])
    return ProviderSlot(failover, smaller, fallbacks, choice.settings)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
