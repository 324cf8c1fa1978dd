"""Measure the exported model in both engines: `python -m models.training.evaluate`.

Writes every figure to `work/results.json`, from which `models.training.card` takes them.
"""

import argparse
import json
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from corpora.synthesis.embedded import EMBEDDED as CORPUS
from corpora.synthesis.utterances import Utterance
from models import EMBEDDED as MODEL
from models.training.clips import Clip, from_corpus, sentences, silences, stream, windows
from models.training.engines import Engine, load_engines
from models.training.scores import Score, compare_words, score_clip
from models.training.speech import TEST, WORK, load

RESULTS = WORK / "results.json"
_SEED = 7
_QUIET = 10 ** (-24 / 20)  # clips have a peak of -6 dBFS; this makes it -30 dBFS


def read_corpus(folder: Path) -> list[Utterance]:
    """Read a corpus folder with word times.

    Raises:
        FileNotFoundError: There is no manifest; the message names the command that makes it.
    """
    manifest = folder / "manifest.jsonl"
    if not manifest.is_file():
        raise FileNotFoundError(f"{manifest}: make it with `python -m corpora.synthesis.embedded`")
    utterances = []
    for line in manifest.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        samples, _ = soundfile.read(folder / item["audio_filepath"], dtype="float32")
        utterances.append(from_corpus(samples, item["words"]))
    return utterances


def conditions(
    corpus: Sequence[Utterance], test: Sequence[Utterance]
) -> Iterator[tuple[str, list[Clip]]]:
    """Name each condition and make its clips; the same ones on every run."""
    random = np.random.default_rng(_SEED)
    for name, utterances in (("corpus", corpus), ("test set", test)):
        yield f"{name}, clean", sentences(random, utterances, None)
        yield f"{name}, 20 dB noise", sentences(random, utterances, 20)
        yield f"{name}, 10 dB noise", sentences(random, utterances, 10)
    yield "corpus, peaks of -30 dBFS", sentences(random, corpus, None, level=_QUIET)
    whole = stream(random, test[::2], noise_db=30)
    for window_s in (2.0, 4.0, 8.0, 12.0):
        yield f"test set, windows of {window_s:g} s", windows(whole, window_s)
    yield "without speech", silences(random)


def measure(engine: Engine, clips: Sequence[Clip]) -> dict[str, Any]:
    """Decode clips one by one, after one that does not count, and score them.

    `strict` counts a word that a window's edge cuts as an error if the engine writes it.
    """
    engine.decode(clips[0].samples)
    began = time.perf_counter()
    heard = [engine.decode(clip.samples) for clip in clips]
    took_s = time.perf_counter() - began
    audio_s = sum(clip.duration_s for clip in clips)
    figures: dict[str, Any] = {
        "clips": len(clips),
        "clips_with_text": sum(bool(words) for words in heard),
        "ms_per_clip": round(1000 * took_s / len(clips), 1),
        "rtf": round(took_s / audio_s, 4),
    }
    if any(clip.words for clip in clips):
        score, strict = Score(), Score()
        for clip, words in zip(clips, heard, strict=True):
            score.add(score_clip(clip, words))
            strict.add(compare_words(clip.words, words))
        figures |= score.figures()
        if any(any(clip.cut) for clip in clips):
            figures["strict_wer_percent"] = strict.wer_percent
    return figures


def main() -> None:
    """Measure every condition in every engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    engines = load_engines(options.model, options.threads)
    results: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": options.threads,
        "conditions": {},
    }
    for name, clips in conditions(read_corpus(options.corpus), load(TEST.path)):
        for engine in engines:
            figures = measure(engine, clips)
            results["conditions"].setdefault(name, {})[engine.name] = figures
            print(f"{name} | {engine.name} | {json.dumps(figures)}", flush=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
