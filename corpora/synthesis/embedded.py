"""Make `corpora/embedded`: `python -m corpora.synthesis.embedded`.

One version of espeak-ng (and of libFLAC, which compresses) makes the same bytes on every run. The
sentences are from the held-out split and the voices are held out too, so the embedded model has
heard neither.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from corpora.synthesis.espeak import Espeak
from corpora.synthesis.sentences import is_held_out, sentence
from corpora.synthesis.utterances import RATE_HZ, Delivery, Utterance, speak
from corpora.synthesis.voices import HELD_OUT_VOICES

EMBEDDED = Path(__file__).parents[1] / "embedded"
UTTERANCES = 2 * len(HELD_OUT_VOICES)
MIN_S, MAX_S = 1.5, 7.0

_PEAK = 8192  # a quarter of full scale: a usual level, and fewer bits to store
_SEED = 20
_STRIDE = 25  # prime to the number of voices: all occur, and neighbours differ in the speaker


def draw_utterances() -> Iterator[Utterance]:
    """Speak distinct sentences, each voice in turn; the same ones on every run."""
    random, espeak = np.random.default_rng(_SEED), Espeak()
    spoken = set[tuple[str, ...]]()
    while len(spoken) < UTTERANCES:
        words = sentence(random)
        if words in spoken or not is_held_out(words):
            continue
        # Slower than the training set: between careful and brisk speech.
        delivery = Delivery(
            words_per_minute=int(random.integers(115, 181)),
            pitch=int(random.integers(35, 66)),
            pitch_range=int(random.integers(30, 71)),
        )
        voice = HELD_OUT_VOICES[len(spoken) * _STRIDE % len(HELD_OUT_VOICES)]
        utterance = speak(espeak, words, voice, delivery, _PEAK)
        if utterance is None or not MIN_S <= len(utterance.samples) / RATE_HZ <= MAX_S:
            continue
        spoken.add(words)
        yield utterance


def describe(utterance: Utterance, audio_filepath: str) -> dict[str, Any]:
    """Make an utterance's line of the manifest: NeMo's three fields, the voice, the word times."""
    times = zip(utterance.words, utterance.starts, utterance.ends, strict=True)
    return {
        "audio_filepath": audio_filepath,
        "duration": len(utterance.samples) / RATE_HZ,
        "text": " ".join(utterance.words),
        "voice": utterance.voice,
        "words": [[word, int(start) / RATE_HZ, int(end) / RATE_HZ] for word, start, end in times],
    }


def write_corpus(folder: Path) -> None:
    """Write `manifest.jsonl` and `audio/*.flac`, replacing what an earlier run wrote."""
    audio = folder / "audio"
    audio.mkdir(parents=True, exist_ok=True)
    for old in audio.glob("*.flac"):
        old.unlink()
    lines, total_s = [], 0.0
    for number, utterance in enumerate(draw_utterances()):
        path = audio / f"{number:03d}.flac"
        soundfile.write(path, utterance.samples, RATE_HZ, format="FLAC", subtype="PCM_16")
        line = describe(utterance, path.relative_to(folder).as_posix())
        lines.append(json.dumps(line))
        total_s += line["duration"]
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{folder}: {len(lines)} utterances, {total_s:.1f} s")


def main() -> None:
    """Read the command line and make the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=EMBEDDED)
    write_corpus(parser.parse_args().out)


if __name__ == "__main__":
    main()
