"""Checks a faster-whisper model folder before it is loaded.

CTranslate2 detects that `model.bin` is cut short. It trusts the other files, and with damaged ones
fails at the first decode, reads past its buffers, or raises an error that names no file.
"""

from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from harness.errors import ModelError
from providers.models.hub import lacking
from providers.whisper.ct2_weights import read_decoder

T = TypeVar("T")

FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.*")
OPTIONAL_FILES = ("preprocessor_config.json",)
FIRST_TOKEN = "<|startoftranscript|>"

Index = Annotated[int, Meta(ge=0, lt=1000)]


class _Config(msgspec.Struct):
    """The fields of `config.json` that faster-whisper uses for word times and the first token."""

    alignment_heads: Annotated[list[tuple[Index, Index]], Meta(min_length=1)]
    suppress_ids_begin: list[Annotated[int, Meta(ge=0)]]


def check_ct2(folder: Path) -> None:
    """Check a folder's files, except the values of the weights.

    Raises:
        ModelError: A file is missing or damaged.
    """
    if missing := lacking(folder, FILES):
        problem = f"has no {missing}" if folder.is_dir() else "no such folder"
        raise ModelError(str(folder), problem, f"a CTranslate2 folder with {', '.join(FILES)}")
    config = _read(folder / "config.json", _Config)
    words = _vocabulary(next(folder.glob("vocabulary.*")))
    if FIRST_TOKEN not in words:
        raise _damaged(next(folder.glob("vocabulary.*")), f"has no token {FIRST_TOKEN}")
    if any(token >= len(words) for token in config.suppress_ids_begin):
        problem = f"suppress_ids_begin {config.suppress_ids_begin} of {len(words)} tokens"
        raise _damaged(folder / "config.json", problem)
    _check_heads(folder, config.alignment_heads)
    _read(folder / "tokenizer.json", dict[str, Any])
    for name in OPTIONAL_FILES:
        if (folder / name).exists():
            _read(folder / name, dict[str, Any])


def _check_heads(folder: Path, alignment_heads: list[tuple[int, int]]) -> None:
    """Check that the heads exist; some converted distilled models name those of their teacher.

    CTranslate2 would read past its buffers, and the process would crash.
    """
    path = folder / "model.bin"
    try:
        decoder = read_decoder(path)
    except (ValueError, OSError) as error:
        raise _damaged(path, str(error)) from error
    for layer, head in alignment_heads:
        if layer >= (decoder.layers or layer + 1) or head >= (decoder.heads or head + 1):
            problem = f"alignment head {head} of layer {layer}, in a decoder of {decoder}"
            allowed = "heads that the model has, such as all of its last layer"
            raise ModelError(str(folder / "config.json"), problem, allowed)


def _vocabulary(path: Path) -> set[str]:
    if path.suffix == ".json":
        return set(_read(path, list[str]))
    return set(path.read_text(encoding="utf-8", errors="replace").split("\n"))


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, problem: str) -> ModelError:
    return ModelError(str(path), problem, "the file as published; delete it and get it again")
