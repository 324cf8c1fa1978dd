"""Rules about sessions: cancelling, stopping, starting again, and two sources at once."""

import asyncio
import contextlib

from harness.activities.conformance.rig import (
    MIC,
    SYSTEM,
    ContractRig,
    chunks,
    require,
    rule,
    text_of,
)
from harness.clock import now_s

STOP_LIMIT_S = 10.0


@rule
async def leaving_cancels(rig: ContractRig) -> None:
    expected = text_of(await rig.listen(rig.speech[0]))
    stream = rig.provider.transcribe_stream(chunks(rig.speech[1], [0.5]), source=MIC)
    async with contextlib.aclosing(stream):  # type: ignore[type-var]
        async for _ in stream:
            break
    again = text_of(await rig.listen(rig.speech[0]))
    require(again == expected, f"{expected!r}, and after a cancelled stream {again!r}")


@rule
async def stop_is_bounded(rig: ContractRig) -> None:
    stream = rig.provider.transcribe_stream(chunks(rig.speech[1], [0.5]), source=MIC)
    async with contextlib.aclosing(stream):  # type: ignore[type-var]
        async for _ in stream:
            break
        begin_s = now_s()
        await rig.restart()
        took_s = now_s() - begin_s
    require(took_s <= STOP_LIMIT_S, f"stop_session took {took_s:.1f} s")
    require(bool(text_of(await rig.listen(rig.speech[0]))), "the next session recognised nothing")


@rule
async def restart_changes_nothing(rig: ContractRig) -> None:
    before = text_of(await rig.listen(rig.speech[0]))
    await rig.restart()
    after = text_of(await rig.listen(rig.speech[0]))
    require(before == after, f"{before!r}, and after a restart {after!r}")


@rule
async def one_session_at_a_time(rig: ContractRig) -> None:
    second = await rig.provider.start_session("another", rig.config)
    require(second is False, "start_session did not return False while a session was running")


@rule
async def sources_do_not_mix(rig: ContractRig) -> None:
    alone = [text_of(await rig.listen(rig.speech[i], source))
             for i, source in enumerate((MIC, SYSTEM))]  # fmt: skip
    await rig.restart()
    both = await asyncio.gather(rig.listen(rig.speech[0], MIC), rig.listen(rig.speech[1], SYSTEM))
    for source, expected, segments in zip((MIC, SYSTEM), alone, both, strict=True):
        text = text_of(segments)
        require(text == expected, f"{source} alone: {expected!r}; with the other: {text!r}")
        require(
            all(s.source is source for s in segments), f"segments of {source} name another source"
        )
