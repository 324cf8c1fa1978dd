"""Settings in environment variables, as JSON: for what has to do with a machine, not with a run."""

import os
from typing import TypeVar

import msgspec

from harness.errors import UsageError

S = TypeVar("S", bound=msgspec.Struct)


def setting(variable: str, default: S, allowed: str) -> S:
    """Read a variable; what it doesn't name keeps its default.

    Args:
        variable: The environment variable, with a JSON object in it.
        default: Says which fields there are; returned where the variable isn't set.
        allowed: What the fields are, for the message.

    Raises:
        UsageError: It isn't JSON, or names something else.
    """
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        given = msgspec.json.decode(text, type=dict[str, object])
        return msgspec.convert(msgspec.structs.asdict(default) | given, type(default))
    except msgspec.MsgspecError as error:
        allowed = f"JSON with {allowed} for {', '.join(default.__struct_fields__)}"
        raise UsageError(variable, f"{text!r:.200} ({error})", allowed) from error
