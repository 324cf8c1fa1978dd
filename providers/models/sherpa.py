"""Finds the files of a streaming sherpa-onnx model, and checks that they are complete."""

from dataclasses import dataclass
from pathlib import Path

from harness.errors import ModelError
from providers.models.hub import lacking
from providers.models.onnx_file import check_onnx

TOKENS = "tokens.txt"
PARTS = ("encoder", "decoder", "joiner")
ALLOWED = f"the folder of a streaming transducer: {TOKENS}, and encoder, decoder, joiner as *.onnx"


@dataclass(frozen=True)
class SherpaFiles:
    """A model's files."""

    tokens: Path
    encoder: Path
    decoder: Path
    joiner: Path


def sherpa_files(folder: Path, *, int8: bool) -> SherpaFiles:
    """Find a model's files, and check them.

    Args:
        folder: Where they are.
        int8: Take the files with `int8` in their names, else those without.

    Raises:
        ModelError: A file is missing or cut short, or several match.
    """
    if not folder.is_dir():
        raise ModelError(str(folder), "no such folder", ALLOWED)
    if lacking(folder, [TOKENS]):
        raise ModelError(str(folder), f"has no {TOKENS}", ALLOWED)
    models = [path for path in sorted(folder.glob("*.onnx")) if ("int8" in path.name) == int8]
    parts = {part: _only(folder, part, [path for path in models if part in path.name])
             for part in PARTS}  # fmt: skip
    for path in parts.values():
        check_onnx(path)
    return SherpaFiles(tokens=folder / TOKENS, **parts)


def _only(folder: Path, part: str, paths: list[Path]) -> Path:
    if len(paths) == 1:
        return paths[0]
    problem = f"several of {part}: {', '.join(path.name for path in paths)}" if paths else (
        f"has no {part}*.onnx of that precision"
    )  # fmt: skip
    raise ModelError(str(folder), problem, ALLOWED)
