"""Actions of the ladder's levels, each a function that does or undoes one thing.

`switch(True)` does it, `switch(False)` undoes it; both return a description of what was done.
"""

from collections.abc import Awaitable, Callable, Sequence

from harness.errors import UnavailableError
from harness.ladder.failover import FailoverProvider, Member
from harness.session.chunk_queue import ChunkQueue
from harness.session.chunking import Chunker
from harness.vad import PreFilter

Switch = Callable[[bool], Awaitable[str]]
LONGER_BY_S = 0.5
"""Requirement R-D1."""
KEEP_EVERY = 2


def longer_chunks(chunkers: Sequence[Chunker]) -> Switch:
    """Lengthen chunks by half a second: the same audio in fewer decodes."""

    async def switch(on: bool) -> str:
        for chunker in chunkers:
            chunker.chunk_seconds += LONGER_BY_S if on else -LONGER_BY_S
        return f"chunks of {chunkers[0].chunk_seconds:g} s"

    return switch


def drop_every_other(queues: Sequence[ChunkQueue]) -> Switch:
    """Drop every other chunk; the queue counts them."""

    async def switch(on: bool) -> str:
        for queue in queues:
            queue.keep_every = KEEP_EVERY if on else 1
        return "every other chunk left out" if on else "every chunk taken again"

    return switch


def vad_off(prefilters: Sequence[PreFilter]) -> Switch:
    """Bypass the silence filter, whose own cost doesn't pay off where there is little silence."""

    async def switch(on: bool) -> str:
        for prefilter in prefilters:
            prefilter.bypassed = on
        return "silence isn't filtered out" if on else "silence is filtered out again"

    return switch


def other_member(failover: FailoverProvider, other: Member) -> Switch:
    """Switch to another loaded provider or model; undone, back to the first one."""

    async def switch(on: bool) -> str:
        member = other if on else failover.members[0]
        await failover.switch_to(member)
        return f"{member.title} took over"

    return switch


def other_provider(failover: FailoverProvider, others: Sequence[Member]) -> Switch:
    """Switch to the first provider that hasn't failed; undone, retry the first member of all.

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
