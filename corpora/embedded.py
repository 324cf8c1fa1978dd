"""The corpus that comes with echobench: synthesised English in the embedded model's vocabulary.

`corpora/synthesis` makes it; `corpora/embedded/README.md` says what it is and isn't.
"""

from pathlib import Path

from corpora.own.reading import read_manifest
from harness.timeline.corpus import CorpusUtterance

MANIFEST = Path(__file__).parent / "embedded" / "manifest.jsonl"


def utterances() -> list[CorpusUtterance]:
    """Read the embedded corpus; word times are exact, from the synthesiser's own events."""
    return read_manifest(MANIFEST)
