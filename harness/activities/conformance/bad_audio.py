"""Rules about unusable audio: one clear error, and no loss of what was recognised before."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from harness.activities.conformance.rig import (
    MIC,
    BrokenRuleError,
    ContractRig,
    chunks,
    require,
    rule,
    text_of,
)
from harness.audio import SAMPLE_RATE_HZ
from harness.errors import AudioError


async def _expect_audio_error(
    rig: ContractRig, *bad: Any, sample_rate: int = SAMPLE_RATE_HZ
) -> str:
    """Stream speech and then bad chunks; return the text that came before the error."""

    async def with_bad() -> AsyncIterator[bytes]:
        async for chunk in chunks(rig.speech[0][:-SAMPLE_RATE_HZ], [0.5]):
            yield chunk
        for chunk in bad:
            yield chunk

    segments = []
    try:
        async for segment in rig.provider.transcribe_stream(with_bad(), sample_rate, MIC):
            segments.append(segment)  # noqa: PERF401  (what came before the error must be kept)
    except AudioError as error:
        require("allowed" in str(error), f"the error names nothing that is allowed: {error}")
        return text_of(segments)
    raise BrokenRuleError("no AudioError")


@rule
async def odd_bytes_are_refused(rig: ContractRig) -> None:
    text = await _expect_audio_error(rig, b"\0\0\0")
    require(bool(text), "the speech before the bad chunk was lost")


@rule
async def an_empty_chunk_is_refused(rig: ContractRig) -> None:
    require(bool(await _expect_audio_error(rig, b"")), "the speech before it was lost")


@rule
async def floats_are_refused(rig: ContractRig) -> None:
    floats = np.full(1600, np.nan, np.float32)
    require(bool(await _expect_audio_error(rig, floats)), "the speech before it was lost")


@rule
async def another_rate_is_refused(rig: ContractRig) -> None:
    await _expect_audio_error(rig, sample_rate=8000)


@rule
async def an_error_ends_only_its_stream(rig: ContractRig) -> None:
    expected = text_of(await rig.listen(rig.speech[0]))
    await _expect_audio_error(rig, b"\0")
    again = text_of(await rig.listen(rig.speech[0]))
    require(again == expected, f"{expected!r}, and after an error {again!r}")
