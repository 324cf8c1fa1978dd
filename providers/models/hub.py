"""Finds model files: embedded ones, a path's, or those of the Hugging Face cache."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.errors import ModelError, UnavailableError, UnknownNameError
from harness.requirements import Package

EMBEDDED = "embedded"
HASH_DIGITS = 64
MAX_REASON = 300
HUB_CLIENT = Package("huggingface_hub", extra="whisper-cpp")
"""An extra dependency for whisper.cpp; faster-whisper depends on it anyway."""


def is_path(model: str) -> bool:
    """Tell a path from a name.

    >>> is_path("base.en"), is_path("models/ggml-base.bin"), is_path("Systran/faster-whisper-tiny")
    (False, True, False)
    """
    looks_like_path = model.startswith((".", "/", "~")) or model.endswith(".bin")
    return looks_like_path or (model != "" and Path(model).exists())


def known(model: str, names: Sequence[str], engine: str) -> str:
    """Return the name if the engine has a model of that name.

    Raises:
        UnknownNameError: It has none; the message lists the names that it has.
    """
    if model not in names:
        raise UnknownNameError(f"--model for {engine}", model, [*names, EMBEDDED, "a path"])
    return model


def fetch(repository: str, required: Sequence[str], optional: Sequence[str] = ()) -> Path:
    """Fetch files of a model repository through the Hugging Face cache, with a progress bar.

    Files in the cache are used without network access; downloaded files are compared with their
    published hash.

    Args:
        repository: "owner/name" on the hub.
        required: Names, or patterns with `*`; each must be present afterwards.
        optional: Names that not every repository has.

    Returns:
        The folder that holds them.

    Raises:
        ModelError: They can't be fetched, or differ from the published files.
        UnavailableError: The hub's client isn't installed.
    """
    if (missing := HUB_CLIENT.missing()) is not None:
        raise UnavailableError(f"model {repository}", f"lacks {missing}", HUB_CLIENT.remedy())
    patterns = [*required, *optional]
    folder = _cached(repository, patterns)
    if folder is None or lacking(folder, required):
        folder = _downloaded(repository, patterns)
        if missing := lacking(folder, required):
            raise ModelError(repository, f"has no {missing}", "a model in this engine's format")
        check_hashes(path for pattern in patterns for path in folder.glob(pattern))
    return folder


def _cached(repository: str, patterns: Sequence[str]) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(repository, allow_patterns=[*patterns], local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise ModelError(repository, str(error), "owner/name") from error


def _downloaded(repository: str, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=[*patterns]))
    except (
        Exception
    ) as failure:  # the errors of the client and its HTTP library have no common base
        error: BaseException = failure
        if isinstance(failure, LocalEntryNotFoundError):  # its cause has the details
            error = failure.__cause__ or failure
        reason = " ".join(str(error).split())[:MAX_REASON] or type(error).__name__
        raise ModelError(
            repository,
            f"not in the Hugging Face cache, and not fetched ({reason})",
            f"{EMBEDDED}, a path, or a repository that you may read, and network access",
        ) from failure


def lacking(folder: Path, required: Sequence[str]) -> str | None:
    """Name the first required file that a folder lacks.

    >>> lacking(Path(__file__).parent, ["hub.*", "model.bin"])
    'model.bin'
    """
    return next(
        (name for name in required if not any(path.exists() for path in folder.glob(name))), None
    )


def check_hashes(paths: Iterable[Path]) -> None:
    """Compare files of the Hugging Face cache with the SHA-256 hashes in their blobs' names.

    Small files are named by a git hash and aren't compared; nor are files outside the cache.

    Raises:
        ModelError: A file differs from what was published.
    """
    for path in paths:
        if path.is_symlink() and path.exists():
            blob = path.parent / path.readlink()  # may be a link itself, named by another hash
            if len(blob.name) == HASH_DIGITS:
                _check_hash(path, blob)


def _check_hash(path: Path, blob: Path) -> None:
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != blob.name:
        raise ModelError(
            str(path),
            f"has SHA-256 {actual}",
            f"{blob.name}; delete {path.resolve()} and fetch it again",
        )
