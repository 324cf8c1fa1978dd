"""Looks into an ONNX file without loading it: what it says of itself, and whether it is whole.

The file is a protobuf message: fields of a number, a kind and, for what is read here, a length.
Loaders end the whole process where a file lacks what they want, so that is checked before.
Source: onnx.proto (`ModelProto`, `GraphProto`, `ValueInfoProto`, `StringStringEntryProto`).
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ModelError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MODEL_GRAPH, MODEL_METADATA = 7, 14
GRAPH_INPUT, GRAPH_OUTPUT = 11, 12
NAME = KEY = 1
VALUE = 2
MAX_VARINT = 10
ALLOWED = "a whole ONNX file"

Span = tuple[int, int]


@dataclass
class OnnxFile:
    """What an ONNX file says of itself."""

    path: Path
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    def check(self, outputs: tuple[str, ...]) -> None:
        """Require outputs by name.

        Raises:
            ModelError: It lacks one.
        """
        if missing := [name for name in outputs if name not in self.outputs]:
            problem = f"has no output {', '.join(missing)}"
            raise ModelError(str(self.path), problem, f"a graph with {', '.join(outputs)}")


def read_onnx(path: Path) -> OnnxFile:
    """Walk a file once, without reading its weights.

    Raises:
        ModelError: It is missing, cut short or not ONNX.
    """
    if not path.is_file():
        raise ModelError(str(path), "no such file", ALLOWED)
    if not path.stat().st_size:
        raise ModelError(str(path), "is empty", ALLOWED)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            return _read(path, content)
        except (ValueError, IndexError) as error:
            raise ModelError(str(path), f"is damaged or no ONNX file ({error})", ALLOWED) from error


def _read(path: Path, content: mmap.mmap) -> OnnxFile:
    found = OnnxFile(path)
    graphs = 0
    for number, span in _fields(content, (0, len(content))):
        if number == MODEL_METADATA:
            entry = dict(_fields(content, span))
            found.metadata[_text(content, entry[KEY])] = _text(content, entry[VALUE])
        elif number == MODEL_GRAPH:
            graphs += 1
            for kind, inner in _fields(content, span):
                if kind in (GRAPH_INPUT, GRAPH_OUTPUT):
                    names = found.inputs if kind == GRAPH_INPUT else found.outputs
                    names.append(_text(content, dict(_fields(content, inner))[NAME]))
    if not graphs:
        raise ValueError("no graph in it")
    return found


def _fields(content: mmap.mmap, span: Span) -> Iterator[tuple[int, Span]]:
    """The fields of a message that have a length, and where their content lies."""
    at, end = span
    while at < end:
        tag, at = _varint(content, at)
        number, kind = tag >> 3, tag & 7
        length = 0
        if kind == VARINT:
            _, at = _varint(content, at)
        elif kind == BYTES:
            length, at = _varint(content, at)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind} at byte {at}")
        if not number or at + length > end:
            raise ValueError(f"a field of {length} bytes at byte {at}, and {end - at} are left")
        if kind == BYTES:
            yield number, (at, at + length)
        at += length


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(MAX_VARINT):
        byte = content[at + shift]
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, at + shift + 1
    raise ValueError(f"a number without an end at byte {at}")


def _text(content: mmap.mmap, span: Span) -> str:
    return content[span[0] : span[1]].decode(errors="replace")
