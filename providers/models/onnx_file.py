"""Checks that an ONNX file is complete without loading it.

The file is a protobuf message (`ModelProto` in onnx.proto): fields with a number, a wire type and,
for everything large, a length. The fields' contents are not read.
"""

from pathlib import Path
from typing import BinaryIO

from harness.errors import ModelError

GRAPH = 7
VARINT, BYTES = 0, 2
"""The only wire types in this message."""
ALLOWED = "a whole ONNX file"


def check_onnx(path: Path) -> None:
    """Check the lengths of a file's outermost fields.

    Raises:
        ModelError: It is missing, empty, cut short or not ONNX.
    """
    if not path.is_file():
        raise ModelError(str(path), "no such file", ALLOWED)
    size = path.stat().st_size
    if not size:
        raise ModelError(str(path), "is empty", ALLOWED)
    fields = set()
    with path.open("rb") as file:
        try:
            while file.tell() < size:
                number, kind = divmod(_varint(file), 8)
                if kind not in (VARINT, BYTES):
                    raise ValueError(f"a field of kind {kind}")
                value = _varint(file)
                if kind == BYTES:
                    file.seek(value, 1)
                fields.add(number)
            if GRAPH not in fields or file.tell() != size:
                raise ValueError(f"{size} of {file.tell()} bytes, with the fields {sorted(fields)}")
        except (ValueError, OverflowError, OSError) as error:
            raise ModelError(str(path), f"is damaged or no ONNX file ({error})", ALLOWED) from error


def _varint(file: BinaryIO) -> int:
    """Read a protobuf varint: seven bits per byte; all bytes but the last have the high bit set."""
    value = 0
    for shift in range(0, 64, 7):
        (byte,) = file.read(1) or b"\xff"
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise ValueError(f"a number without an end at byte {file.tell()}")
