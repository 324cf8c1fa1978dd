"""Finds providers and corpora by name, in this project's folders and in installed packages.

A third-party package adds a provider by an entry point in the group `echobench.providers` (the
class), or a corpus by one in `echobench.corpora` (a function that returns the utterances).
"""

import importlib
import pkgutil
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

from harness.contract import ASRProvider, Option
from harness.errors import DataFileError, UnknownNameError, UsageError
from harness.support.data_file import convert
from harness.support.entry_points import load, registered
from harness.timeline.corpus import CorpusUtterance, require_enough

PROVIDERS, CORPORA = "providers", "corpora"


def names(kind: str) -> list[str]:
    """List all names of a kind (`PROVIDERS` or `CORPORA`), sorted; imports none of them."""
    return sorted({*_modules(kind), *_entry_points(kind)})


def provider_class(name: str) -> type[ASRProvider]:
    """Import the provider class of a name, without its engine.

    Raises:
        UnknownNameError: There is no provider of that name.
        UsageError: The registered object isn't a provider class of that name.
    """
    if name in _modules(PROVIDERS):
        found = importlib.import_module(f"{PROVIDERS}.{name}").PROVIDER
    elif name in (points := _entry_points(PROVIDERS)):
        found = load(points[name])
    else:
        raise UnknownNameError("--provider", name, names(PROVIDERS))
    if not (isinstance(found, type) and issubclass(found, ASRProvider)):
        raise UsageError(f"provider {name}", f"is {found!r}", "a subclass of ASRProvider")
    if (own := getattr(found, "name", None)) != name:
        allowed = "the name that it is registered by"
        raise UsageError(f"provider {name}", f"calls itself {own!r}", allowed)
    return found


def make_provider(name: str, settings: dict[str, Option]) -> ASRProvider:
    """Make a provider with its own options; loads no model.

    Raises:
        UnknownNameError: There is no provider of that name.
        UsageError: The registered object isn't a provider class of that name.
        DataFileError: The provider has no such option, or not of that type.
    """
    provider = provider_class(name)
    return provider(convert(settings, provider.Settings, f"options of {name}"))


def find_corpus(reference: str) -> list[CorpusUtterance]:
    """Read a corpus, by name or by the path of a manifest.

    Raises:
        UnknownNameError: It is neither.
        DataFileError: The manifest has wrong content.
    """
    if is_manifest(reference):
        read_manifest = importlib.import_module(f"{CORPORA}.recordings.reading").read_manifest
        return list(read_manifest(Path(reference).expanduser()))
    utterances: Callable[[], list[CorpusUtterance]]
    if reference in _modules(CORPORA):
        utterances = importlib.import_module(f"{CORPORA}.{reference}").utterances
    elif reference in (points := _entry_points(CORPORA)):
        utterances = load(points[reference])
    else:
        raise UnknownNameError(
            "--corpus", reference, [*names(CORPORA), "the path of a .jsonl file"]
        )
    return utterances()


def check_corpus(reference: str) -> tuple[list[CorpusUtterance], str]:
    """Read a corpus, and check all of it before anything is loaded: a manifest's sound, too.

    Returns:
        The utterances, and the warnings as a text to show; empty if there are none.

    Raises:
        UnknownNameError: It is neither a name nor a manifest.
        UsageError: It can't be measured on; the message lists all that is wrong.
    """
    if not is_manifest(reference):
        utterances = find_corpus(reference)
        require_enough(reference, utterances)
        return utterances, ""
    own = importlib.import_module(f"{CORPORA}.recordings.check")
    corpus = own.check_manifest(Path(reference).expanduser())
    if len(corpus.errors) == 1:
        raise corpus.refusal()
    if corpus.errors:
        raise DataFileError(f"corpus {reference}", f"can't be measured on\n\n{corpus.listing}")
    return list(corpus.utterances), corpus.listing


def corpus_path(reference: str) -> Path | None:
    """The file or folder that a corpus is read from; None for an installed one."""
    if is_manifest(reference):
        return Path(reference).expanduser()
    own = importlib.import_module(CORPORA)
    folder = Path(own.__path__[0]) / reference
    return folder if folder.is_dir() else None


def is_manifest(reference: str) -> bool:
    """Whether a reference is a manifest's path, not a corpus' name."""
    return reference.endswith((".jsonl", ".json")) or Path(reference).is_file()


def _modules(kind: str) -> list[str]:
    package = importlib.import_module(kind)
    return [module.name for module in pkgutil.iter_modules(package.__path__)
            if not module.ispkg and module.name != "__main__"]  # fmt: skip


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in registered(kind)}
