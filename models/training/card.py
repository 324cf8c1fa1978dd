"""Write `card.json` beside the exported model: `python -m models.training.card`."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from corpora.synthesis.vocabulary import WORDS
from models import EMBEDDED
from models.training.evaluate import RESULTS
from models.training.layers import HEADS, WIDTH
from models.training.network import (
    DECODER_LAYERS,
    DECODER_POSITIONS,
    ENCODER_LAYERS,
    ENCODER_POSITIONS,
    MELS,
)
from models.training.tokens import TOKEN_COUNT

FILE_NAME = "card.json"

ARCHITECTURE = {
    "family": "Whisper, English only",
    "width": WIDTH,
    "heads": HEADS,
    "encoder_layers": ENCODER_LAYERS,
    "decoder_layers": DECODER_LAYERS,
    "mel_bands": MELS,
    "encoder_positions": ENCODER_POSITIONS,
    "decoder_positions": DECODER_POSITIONS,
    "tokens": TOKEN_COUNT,
    "weights": "8 bit: int8 for CTranslate2, q8_0 for ggml",
}
TRAINING = {
    "speech": "24000 synthetic utterances (13.9 h) in 352 espeak-ng 1.51 voices",
    "tool": "models/training",
}
LIMITS = (
    "It knows 82 words and writes one of them for any other.",
    "It was trained and measured on synthetic speech alone; nobody has tried it on people.",
    "It is meant for windows of up to 15 s; longer audio in one call was not measured.",
    "It writes lower case without punctuation.",
)


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """List every file of the model with its size in bytes and its SHA-256."""
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != FILE_NAME
    }


def main() -> None:
    """Gather the card from the exported files and from what `evaluate` measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    card = {
        "name": "embedded",
        "architecture": ARCHITECTURE,
        "vocabulary": WORDS,
        "limits": LIMITS,
        "training": TRAINING,
        "measured": json.loads(options.results.read_text(encoding="utf-8")),
        "files": describe_files(options.model),
    }
    text = json.dumps(card, indent=1)
    (options.model / FILE_NAME).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
