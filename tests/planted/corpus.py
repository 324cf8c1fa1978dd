"""What planted defects are tried on: sentences of tones, each tone a word, with exact times."""

import json
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import soundfile

from harness.audio import SAMPLE_RATE_HZ, to_pcm16
from tests.providers.signals import samples_of, tone
from tests.providers.tones import GAP_S, PITCHES_HZ, WORD_S

SENTENCES = 60
MODEL_BYTES = 1 << 20
SEED = 5


def write_tones(folder: Path) -> Path:
    """Write a corpus of three to five tones a sentence, and its manifest."""
    generator = np.random.default_rng(SEED)
    pool = [words for length in (3, 4, 5) for words in product(PITCHES_HZ, repeat=length)
            if all(one != other for one, other in pairwise(words))]  # fmt: skip
    lines = []
    for number, pick in enumerate(generator.choice(len(pool), SENTENCES, replace=False)):
        words = pool[pick]
        gap = np.zeros(samples_of(GAP_S), np.float32)
        parts = [
            part
            for word in words
            for part in (0.3 * tone(samples_of(WORD_S), PITCHES_HZ[word]), gap)
        ]
        audio = to_pcm16(np.concatenate(parts[:-1]))
        soundfile.write(folder / f"{number}.wav", audio, SAMPLE_RATE_HZ, subtype="PCM_16")
        step_s = WORD_S + GAP_S
        line = {
            "audio_filepath": f"{number}.wav",
            "duration": len(audio) / SAMPLE_RATE_HZ,
            "text": " ".join(words),
            "words": [[word, at * step_s, at * step_s + WORD_S] for at, word in enumerate(words)],
        }
        lines.append(json.dumps(line))
    manifest = folder / "manifest.jsonl"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def write_model(folder: Path) -> Path:
    """Write a file to load and to load again."""
    path = folder / "tones.model"
    path.write_bytes(np.random.default_rng(SEED).bytes(MODEL_BYTES))
    return path
