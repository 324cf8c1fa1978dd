"""The embedded corpus: synthesised English speech in the embedded model's vocabulary.

`corpora/synthesis` generates it; `corpora/embedded/README.md` describes it and its limits.
"""

from pathlib import Path

from corpora.recordings.reading import read_manifest
from harness.timeline.corpus import CorpusUtterance

MANIFEST = Path(__file__).parent / "embedded" / "manifest.jsonl"


def utterances() -> list[CorpusUtterance]:
    """Read the embedded corpus; word times are exact, from the synthesiser's events."""
    return read_manifest(MANIFEST)
