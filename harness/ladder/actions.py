"""What a level of the ladder does. Each action is one function that is told "do" or "undo".

`switch(True)` does it, `switch(False)` undoes it; either returns what was done, in words.
"""

from collections.abc import Awaitable, Callable, Sequence

from harness.errors import UnavailableError
from harness.ladder.failover import FailoverProvider, Member
from harness.session.chunk_queue import ChunkQueue
from harness.session.chunking import Chunker
from harness.vad import PreFilter

Switch = Callable[[bool], Awaitable[str]]
LONGER_BY_S = 0.5
"""R-D1."""
KEEP_EVERY = 2


def longer_chunks(chunkers: Sequence[Chunker]) -> Switch:
    """Chunks of half a second more: the same audio in fewer decodes."""

    async def switch(on: bool) -> str:
        for chunker in chunkers:
            chunker.chunk_seconds += LONGER_BY_S if on else -LONGER_BY_S
        return f"chunks of {chunkers[0].chunk_seconds:g} s"

    return switch


def drop_every_other(queues: Sequence[ChunkQueue]) -> Switch:
    """Half the audio is left out; the queue counts it."""

    async def switch(on: bool) -> str:
        for queue in queues:
            queue.keep_every = KEEP_EVERY if on else 1
        return "every other chunk left out" if on else "every chunk taken again"

    return switch


def vad_off(prefilters: Sequence[PreFilter]) -> Switch:
    """Silence isn't looked for any more, which costs the least where there is little of it."""

    async def switch(on: bool) -> str:
        for prefilter in prefilters:
            prefilter.bypassed = on
        return "silence isn't filtered out" if on else "silence is filtered out again"

    return switch


def other_member(failover: FailoverProvider, other: Member) -> Switch:
    """Another provider or model, loaded already, takes over; undone, the first one does."""

    async def switch(on: bool) -> str:
        member = other if on else failover.members[0]
        await failover.switch_to(member)
        return f"{member.title} took over"

    return switch


def other_provider(failover: FailoverProvider, others: Sequence[Member]) -> Switch:
    """The first of several that hasn't failed takes over; undone, the first of all is tried again.

    Raises:
        UnavailableError: All have failed.
    """

    async def switch(on: bool) -> str:
        usable = [member for member in others if member.failure is None]
        if on and not usable:
            raise UnavailableError("failover", "no provider is left that hasn't failed")
        member = usable[0] if on else failover.members[0]
        await failover.switch_to(member)
        return f"{member.title} took over"

    return switch
