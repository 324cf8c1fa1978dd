"""Serves the live server's clients: those that send audio and those that watch."""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import replace
from itertools import count

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from harness.clock import now_s
from harness.live.protocol.close_codes import Close, RefusalError
from harness.live.protocol.frames import unpack
from harness.live.protocol.messages import End, Failed, Reset, Start, Warned, Watching, from_client
from harness.live.server.limits import Bucket
from harness.live.server.outbox import Outbox
from harness.live.server.provider_slots import ProviderSlots
from harness.live.server.session import LiveSession, LiveSettings
from harness.live.server.session_log import SessionLog
from harness.session.chunk_queue import Tap, no_tap
from harness.session.session import Emit
from harness.support.sanitize import sanitize

log = logging.getLogger("echobench.live")
REMEMBERED = 16
REFUSED_CLOSE_S = 0.5
"""Time for a refused client to close; it may be sending all the while."""
YIELD_EVERY = 4
"""Messages of one client that are read before the other clients get a turn."""


def ignore(event: object) -> None:
    """Ignore an event."""


class LiveServer:
    """Holds sessions for clients.

    Args:
        slots: The providers, loaded.
        settings: The settings of its sessions.
        session_log: Keeps their journals.
        note: Also takes every event of every session, from any thread.
        tap: Called with each chunk that a provider takes.
    """

    def __init__(
        self,
        slots: ProviderSlots,
        settings: LiveSettings,
        session_log: SessionLog,
        note: Emit = ignore,
        tap: Tap = no_tap,
    ) -> None:
        self.sessions: dict[str, LiveSession] = {}
        """The running sessions by name, in the order in which they began."""
        self.past: deque[LiveSession] = deque(maxlen=REMEMBERED)
        """The last sessions that have ended."""
        self._slots, self._settings, self._session_log = slots, settings, session_log
        self._note, self._tap = note, tap
        self._limits = settings.limits
        self._numbers = count(1)
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: set[Outbox] = set()
        """Watchers that wait for the next session."""

    async def finish(self, within_s: float) -> None:
        """End all sessions, and wait for their last finals."""
        for session in list(self.sessions.values()):
            session.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)
        for task in self._running:
            task.cancel()

    async def handle(self, connection: ServerConnection) -> None:
        """Serve one client, from its first message to its last."""
        outbox = Outbox(connection, self._limits)
        sending = asyncio.create_task(outbox.send())
        try:
            await self._serve(connection, outbox)
        except RefusalError as refusal:
            log.info("refused: %s", sanitize(str(refusal)))
            outbox.put(Failed(code=refusal.close, message=str(refusal)))
            await outbox.drained()
            connection.close_timeout = REFUSED_CLOSE_S
            await connection.close(refusal.close, refusal.reason)
        except ConnectionClosed:
            pass  # the client is gone
        finally:
            self._waiting.discard(outbox)
            for session in self.sessions.values():
                session.listeners.discard(outbox)
            sending.cancel()

    async def _serve(self, connection: ServerConnection, outbox: Outbox) -> None:
        try:
            async with asyncio.timeout(self._limits.first_message_s):
                first = await connection.recv()
        except TimeoutError:
            problem = f"no message within {self._limits.first_message_s:g} s"
            raise RefusalError(Close.TOO_SLOW_TO_BEGIN, problem, "start, or watch") from None
        if isinstance(first, bytes):
            problem = f"{len(first)} bytes as the first message"
            raise RefusalError(Close.BAD_MESSAGE, problem, "start or watch, as JSON text")
        match from_client(first):
            case Start() as start:
                await self._receive_audio(connection, outbox, self._open(start))
            case Watching() as watching:
                await self._watch(connection, outbox, watching)
            case other:
                problem = f"{type(other).__name__.lower()} as the first message"
                raise RefusalError(Close.BAD_MESSAGE, problem, "start, or watch")

    def _open(self, start: Start) -> LiveSession:
        name = start.session or f"session-{next(self._numbers)}"
        if name in self.sessions:
            problem = f"another client sends to {name}"
            raise RefusalError(Close.SESSION_TAKEN, problem, "another name, or watch")
        slot = self._slots.take()
        settings = self._settings
        if start.chunk_seconds is not None:
            session_settings = replace(settings.session, chunk_seconds=start.chunk_seconds)
            settings = replace(settings, session=session_settings)
        session = LiveSession(
            name, start.sources, slot, settings, self._session_log, self._note, self._tap
        )
        self.sessions[name] = session

        async def run() -> None:
            log.info("%s begins: %s", name, ", ".join(start.sources))
            try:
                await session.run()
            finally:
                self._slots.give_back(slot)
                del self.sessions[name]
                self.past.append(session)
                log.info("%s ended%s", name, f": {session.failure}" if session.failure else "")

        task = asyncio.create_task(run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        session.task = task
        for watcher in self._waiting:
            session.listen(watcher)
        self._waiting.clear()
        return session

    async def _receive_audio(
        self, connection: ServerConnection, outbox: Outbox, session: LiveSession
    ) -> None:
        """Let a client send audio to its session, which ends when the client leaves."""
        session.listen(outbox)
        assert session.task is not None
        receiving = asyncio.create_task(self._receive(connection, session))
        try:
            await asyncio.wait({receiving, session.task}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                await receiving  # raises its error
                await asyncio.wait({session.task})
            await outbox.drained()
            close, reason = Close.DONE, "all was answered"
            if session.failure is not None:
                close, reason = Close.PROVIDER_FAILED, "the provider failed"
            await connection.close(close, reason)
        finally:
            receiving.cancel()
            session.stop()

    async def _receive(self, connection: ServerConnection, session: LiveSession) -> None:
        """Read a client's messages until it leaves, without waiting for a provider."""
        budget = Bucket(self._limits.messages_per_s, self._limits.messages_burst, now_s())
        with contextlib.suppress(ConnectionClosed):
            number = 0
            async for message in connection:
                number += 1
                if not budget.take(1.0, now_s()):
                    speed = f"{self._limits.messages_per_s:g} per second on average"
                    raise RefusalError(Close.FLOOD, "messages come too fast", speed)
                if isinstance(message, bytes):
                    session.push(unpack(message))
                else:
                    await self._control(message, session)
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        session.stop()

    async def _control(self, message: str, session: LiveSession) -> None:
        match from_client(message):
            case End(source=source):
                session.end(source)
            case Reset(reason=reason):
                await session.reset(reason)
            case other:
                problem = f"{type(other).__name__.lower()} in the middle of a session"
                raise RefusalError(Close.BAD_MESSAGE, problem, "audio, end or reset")

    async def _watch(
        self, connection: ServerConnection, outbox: Outbox, watching: Watching
    ) -> None:
        """Let a client watch a session until it leaves."""
        if watching.session is not None and watching.session not in self.sessions:
            known = ", ".join(self.sessions) or "none is running"
            raise RefusalError(Close.UNKNOWN, f"no session {watching.session}", known)
        name = watching.session or next(reversed(self.sessions), None)
        if name is None:
            self._waiting.add(outbox)
            outbox.put(Warned(message="no session is running yet"))
        else:
            self.sessions[name].listen(outbox)
        budget = Bucket(self._limits.messages_per_s, self._limits.messages_burst, now_s())
        async for message in connection:
            if isinstance(message, bytes):
                raise RefusalError(Close.BAD_MESSAGE, "audio from a watcher", "start, to send it")
            if not budget.take(1.0, now_s()):
                raise RefusalError(Close.FLOOD, "messages come too fast")
            watched = [each for each in self.sessions.values() if outbox in each.listeners]
            match from_client(message):
                case Reset(reason=reason):
                    for session in watched:
                        await session.reset(reason)
                case other:
                    problem = f"{type(other).__name__.lower()} from a watcher"
                    raise RefusalError(Close.BAD_MESSAGE, problem, "reset")
