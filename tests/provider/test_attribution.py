"""Errors of providers are told apart from ours."""

import asyncio

import pytest

from harness import clock
from harness.clock import ClockKind
from harness.errors import AudioError, ProviderError
from harness.provider.attribution import provider_errors
from tests.stand_ins.raises import ERRORS


@pytest.mark.parametrize("name", ["plain", "group", "timeout", "cancelled", "huge", "escapes"])
def test_whatever_a_provider_raises_is_its_failure(name: str) -> None:
    kind = type(ERRORS[name]).__name__
    with (
        pytest.raises(ProviderError, match=rf"here: raised {kind}: .*line"),
        provider_errors("here"),
    ):
        raise ERRORS[name]


def test_what_was_raised_on_purpose_stays_as_it_is() -> None:
    with pytest.raises(AudioError, match="3 bytes"), provider_errors("here"):
        raise ERRORS["audio"]


def test_leaving_is_no_failure() -> None:
    with pytest.raises(SystemExit), provider_errors("here"):
        raise ERRORS["exit"]


def test_being_cancelled_is_no_failure_and_cancelling_oneself_is() -> None:
    async def wait() -> None:
        with provider_errors("here"):
            await asyncio.sleep(1000)

    async def cancel() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await wait()

    async def surrender() -> None:
        with pytest.raises(ProviderError, match="CancelledError"), provider_errors("here"):
            raise asyncio.CancelledError

    clock.run(cancel(), ClockKind.VIRTUAL)
    clock.run(surrender(), ClockKind.VIRTUAL)


def test_an_odd_error_does_not_lose_its_text() -> None:
    error = AudioError("a", "b", "c")
    assert (error.where, error.problem, error.allowed) == ("a", "b", "c")
