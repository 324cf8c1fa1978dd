"""Finds and loads the entry points that installed packages register for echobench."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from harness.errors import EchobenchError, UsageError


def registered(kind: str) -> list[EntryPoint]:
    """List the entry points of the group `echobench.<kind>`; imports none of them."""
    return list(entry_points(group=f"echobench.{kind}"))


def load(point: EntryPoint) -> Any:
    """Import the object that an entry point names.

    Raises:
        UsageError: The import raised any error, or the module lacks the object.
    """
    package = package_of(point)
    try:
        return point.load()
    except EchobenchError as error:
        raise UsageError(f"{package}, {error.where}", error.problem, error.allowed) from error
    except Exception as error:
        raise UsageError(
            point.name, f"{package} can't be imported ({error})", f"a working {point.value}"
        ) from error


def package_of(point: EntryPoint) -> str:
    """Name the package that registered an entry point, for messages."""
    return point.dist.name if point.dist else point.value
