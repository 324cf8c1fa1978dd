"""Loopback services that vendors' own SDKs talk to, in a thread or in a process of their own."""

import asyncio
import contextlib
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import count

from aiohttp import web

from tests.vendors import mistral_service, openai_service
from tests.vendors.answers import FOR_EVER_S
from tests.vendors.lanes import KEY, LANES, Counts

Handler = Callable[[web.Request, Counts, Mapping[float, str]], Awaitable[web.StreamResponse]]
ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/openai/v1/realtime"): openai_service.realtime,
    ("POST", "/openai/v1/audio/transcriptions"): openai_service.transcribe,
    ("GET", "/mistral/v1/audio/transcriptions/realtime"): mistral_service.realtime,
    ("POST", "/mistral/v1/audio/transcriptions"): mistral_service.transcribe,
}


class Loopback:
    """Where the services are, by lane, and what each lane has seen.

    Args:
        lexicon: The words that they know, by the frequency of their tones.
    """

    def __init__(self, lexicon: Mapping[float, str]) -> None:
        self.seen: dict[str, Counts] = {}
        self.own_faults: list[str] = []
        """Tracebacks of what went wrong here, and should not have."""
        self.port = 0
        self._lexicon = lexicon
        self._numbers = count(1)

    def lane(self, name: str) -> str:
        """A fresh lane, which has seen nothing yet."""
        lane = f"{name}.{next(self._numbers)}"
        self.seen[lane] = Counts(LANES[name])
        return lane

    def url(self, lane: str, vendor: str) -> str:
        """The base URL that the vendor's SDK is to be given."""
        version = "/v1" if vendor == "openai" else ""
        return f"http://127.0.0.1:{self.port}/{lane}/{vendor}{version}"

    async def serve(self, port: int = 0) -> web.AppRunner:
        """Begin to serve, on the loop that runs."""
        app = web.Application(client_max_size=64 << 20)
        for (method, path), handler in ROUTES.items():
            app.router.add_route(method, f"/{{lane}}{path}", self._guarded(handler))
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.port = runner.addresses[0][1]
        return runner

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            counts = self.seen[request.match_info["lane"]]
            if counts.refuses():
                return refused(counts)
            if request.headers.get("Authorization") != f"Bearer {KEY}":
                return web.json_response({"error": {"message": "No such key"}}, status=401)
            if counts.lane.stall == "answer":
                await asyncio.sleep(FOR_EVER_S)
            try:
                return await handler(request, counts, self._lexicon)
            except ConnectionResetError:
                raise  # the client went, as it may
            except Exception:
                self.own_faults.append(traceback.format_exc())
                raise

        return answer


def refused(counts: Counts) -> web.Response:
    """The answer that a lane has in place of what was asked for."""
    lane = counts.lane
    body = {"error": {"message": lane.message, "type": lane.code, "code": lane.code}}
    headers = {} if lane.retry_after is None else {"Retry-After": lane.retry_after}
    return web.json_response(body, status=lane.status, headers=headers)


@contextlib.contextmanager
def loopback(lexicon: Mapping[float, str]) -> Iterator[Loopback]:
    """Serve from a thread, until the block is left."""
    services, ready, over = Loopback(lexicon), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        runner = await services.serve()
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="loopback")
    thread.start()
    try:
        assert ready.wait(10)
        yield services
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def main() -> None:
    """Serve one sound lane until standard input ends, for benchmarks; print the port."""
    services = Loopback({})
    services.seen["sound"] = Counts(LANES["sound"])
    runner = await services.serve()
    print(services.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
