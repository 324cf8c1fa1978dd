"""Reads data files strictly: unknown keys and wrong types are errors that say where."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.errors import DataFileError

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """Read a TOML file as a typed record.

    Raises:
        DataFileError: The file can't be read, isn't TOML, or doesn't fit the record.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataFileError(str(path), str(error), "a TOML file") from error
    return convert(content, kind, str(path))


def convert(content: Any, kind: type[T], where: str) -> T:
    """Turn plain data into a typed record.

    Raises:
        DataFileError: It doesn't fit; the message names the field.

    >>> class Point(msgspec.Struct, forbid_unknown_fields=True):
    ...     x: float
    >>> convert({"x": "left"}, Point, "here")
    Traceback (most recent call last):
    harness.errors.DataFileError: here: Expected `float`, got `str` - at `$.x`
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise DataFileError(where, str(error)) from error
