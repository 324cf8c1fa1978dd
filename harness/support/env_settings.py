"""Reads settings of a machine, as opposed to those of a run, from environment variables."""

import os
from typing import TypeVar

import msgspec

from harness.errors import UsageError

S = TypeVar("S", bound=msgspec.Struct)


def setting(variable: str, default: S, allowed: str) -> S:
    """Read an environment variable that holds a JSON object; missing fields keep their default.

    Args:
        variable: The name of the variable.
        default: Defines the fields; returned where the variable isn't set.
        allowed: The kind of the values, for the message.

    Raises:
        UsageError: The value isn't JSON, or has an unknown field or a wrong type.
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
