"""Attributes any error of a provider's code to the provider."""

import asyncio
import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EchobenchError, ProviderError


@contextlib.contextmanager
def provider_errors(where: str) -> Iterator[None]:
    """Turn any error of the `with` block into a `ProviderError`; an `EchobenchError` is unchanged.

    Args:
        where: The provider, and the source if there is one.

    Raises:
        ProviderError: Names the error, and the line that raised it.
    """
    try:
        yield
    except EchobenchError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and _asked_for_cancelling():
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{Path(last.filename).name}, line {last.lineno}"
        raise ProviderError(where, f"raised {type(error).__name__}: {error} ({at})") from error


def _asked_for_cancelling() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no running loop, so no task
        return False
    return task is not None and task.cancelling() > 0
