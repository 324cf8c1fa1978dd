"""Reads TOML and plain data strictly: unknown keys and wrong types are errors that say where."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

import harness
from harness.errors import DataFileError

SUITES = Path(harness.__file__).parents[1] / "suites"
"""The folder of the test suites and of all data files that a user edits."""

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """Read a TOML file as a typed record.

    Raises:
        DataFileError: The file can't be read, isn't TOML, or doesn't fit the record.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataFileError(str(path), reason(error), "a TOML file") from error
    return convert(content, kind, str(path))


def reason(error: Exception) -> str:
    """The message of an error, without the name of the file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def convert(content: Any, kind: type[T], where: str) -> T:
    """Convert plain data to a typed record.

    Raises:
        DataFileError: It doesn't fit; the message names the field.

    >>> from typing import Literal
    >>> class Point(msgspec.Struct, forbid_unknown_fields=True):
    ...     x: float
    ...     unit: Literal["s", "m"] = "m"
    >>> convert({"x": "left"}, Point, "here")
    Traceback (most recent call last):
    harness.errors.DataFileError: here: Expected `float`, got `str` - at `$.x`
    >>> convert({"x": 1, "unit": "km"}, Point, "here")
    Traceback (most recent call last):
    harness.errors.DataFileError: here: Invalid enum value 'km' - at `$.unit`; allowed: m, s
    >>> convert({"z": 1}, Point, "here")
    Traceback (most recent call last):
    harness.errors.DataFileError: here: Object contains unknown field `z`; allowed: x, unit
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise DataFileError(where, str(error), _allowed(kind, str(error))) from error


def _allowed(kind: type, problem: str) -> str | None:
    """List the allowed names at the place that msgspec's message points to, if there are any."""
    place: Any = inspect.type_info(kind)
    path = re.search(r"at `\$(.*)`", problem)
    for field, _ in re.findall(r"\.(\w+)|\[([^]]*)\]", path[1] if path else ""):
        if isinstance(place, inspect.StructType) and field:
            place = next(known.type for known in place.fields if known.encode_name == field)
        else:
            place = getattr(place, "value_type", None) or getattr(place, "item_type", None)
    match place:
        case inspect.StructType():
            return ", ".join(known.encode_name for known in place.fields)
        case inspect.EnumType():
            return ", ".join(str(member.value) for member in place.cls)
        case inspect.LiteralType():
            return ", ".join(map(str, place.values))
    return None
