"""Where a Whisper model's files come from: embedded, a path, or the Hugging Face cache."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.errors import ModelError, UnknownNameError

EMBEDDED = "embedded"
LONGEST_S = {True: 8.0, False: 15.0}
"""The longest window to decode, for the embedded model and for others; Whisper itself takes 30 s,
but captions shouldn't wait that long for a final."""
HASH_DIGITS = 64


def is_path(model: str) -> bool:
    """Tell a path from a name.

    >>> is_path("base.en"), is_path("models/ggml-base.bin"), is_path("Systran/faster-whisper-tiny")
    (False, True, False)
    """
    return model.startswith((".", "/", "~")) or model.endswith(".bin") or Path(model).exists()


def known(model: str, names: Sequence[str], engine: str) -> str:
    """Return the name if the engine has a model of that name.

    Raises:
        UnknownNameError: It has none; the message lists what it has.
    """
    if model not in names:
        raise UnknownNameError(f"--model for {engine}", model, [*names, EMBEDDED, "a path"])
    return model


def fetch(repository: str, required: Sequence[str], optional: Sequence[str] = ()) -> Path:
    """Get files of a model repository through the Hugging Face cache, with a progress bar.

    What is in the cache already is used without asking the network.

    Args:
        repository: "owner/name" on the hub.
        required: Names, or patterns with `*`; each must be there in the end.
        optional: More of them, that not every repository has.

    Returns:
        The folder that holds them.

    Raises:
        ModelError: They can't be had, or what arrived isn't what the hub published.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = [*required, *optional]
    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError:
        folder = None
    if folder is None or lacking(folder, required):
        try:
            folder = Path(snapshot_download(repository, allow_patterns=patterns))
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
            _not_fetched(repository, error)
    if missing := lacking(folder, required):
        raise ModelError(repository, f"has no {missing}", "a model in this engine's format")
    for path in folder.iterdir():
        if any(path.match(pattern) for pattern in patterns):
            check_hash(path)
    return folder


def lacking(folder: Path, required: Sequence[str]) -> str | None:
    """Name the first required file that a folder lacks.

    >>> lacking(Path(__file__).parent, ["weights.*", "model.bin"])
    'model.bin'
    """
    return next((name for name in required if not any(folder.glob(name))), None)


def check_hash(path: Path) -> None:
    """Compare a cached file with the hash that the hub published, which is its blob's name.

    Small files are named by a git hash instead, and are not compared.

    Raises:
        ModelError: They differ.
    """
    published = path.resolve().name
    if len(published) != HASH_DIGITS or not path.is_symlink():
        return
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != published:
        raise ModelError(
            str(path), f"has SHA-256 {actual}", f"{published}; delete the file and fetch it again"
        )


def _not_fetched(repository: str, error: Exception) -> NoReturn:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    raise ModelError(
        repository,
        f"not in the Hugging Face cache, and not fetched ({reason})",
        f"{EMBEDDED}, a path, or a network that reaches the hub",
    ) from error
