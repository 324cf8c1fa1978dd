"""The check of a corpus before a run: how many files a minute, headers and all samples.

Limits: 10 000 files of five seconds in a minute; 100 000 lines about few files in a minute, too.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pytest_benchmark.fixture import BenchmarkFixture

from corpora.recordings.check import check_manifest
from harness.audio import SAMPLE_RATE_HZ

FILES, SECONDS = 2000, 5
MOST_S_PER_FILE = 60 / 10_000
LINES, MOST_S_OF_LINES = 100_000, 60.0


@pytest.mark.parametrize(
    ("kind", "rate_hz", "channels"),
    [("wav", SAMPLE_RATE_HZ, 1), ("flac", SAMPLE_RATE_HZ, 1), ("flac", 48_000, 2),
     ("mp3", 44_100, 1)],
)  # fmt: skip
def bench_files(
    benchmark: BenchmarkFixture, tmp_path: Path, kind: str, rate_hz: int, channels: int
) -> None:
    shape = (SECONDS * rate_hz, channels)
    generator = np.random.default_rng(0)
    samples = (generator.standard_normal(shape) * 0.05).clip(-1, 1)
    soundfile.write(tmp_path / f"first.{kind}", samples, rate_hz)
    content = (tmp_path / f"first.{kind}").read_bytes()
    lines = []
    for number in range(FILES):
        (tmp_path / f"{number}.{kind}").write_bytes(content)
        line = {"audio_filepath": f"{number}.{kind}", "duration": SECONDS, "text": "a b",
                "words": [["a", 0, 2], ["b", 2, 4]]}  # fmt: skip
        lines.append(json.dumps(line))
    path = tmp_path / "manifest.jsonl"
    path.write_text("\n".join(lines))
    took_s = seconds_of(benchmark, lambda: check_manifest(path).problems)
    print(f"\n{kind}, {rate_hz} Hz, {channels} ch: {60 * FILES / took_s:.0f} files a minute")
    benchmark.extra_info["files_a_minute"] = round(60 * FILES / took_s)
    assert took_s <= MOST_S_PER_FILE * FILES


def bench_lines(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Short utterances of ten recordings of an hour."""
    hour = np.zeros(3600 * SAMPLE_RATE_HZ, np.int16)
    hour[::7] = 3000
    soundfile.write(tmp_path / "0.wav", hour, SAMPLE_RATE_HZ)
    for number in range(1, 10):
        (tmp_path / f"{number}.wav").hardlink_to(tmp_path / "0.wav")
    lines = [{"audio_filepath": f"{at % 10}.wav", "offset": (at // 10) * 0.35, "duration": 0.3,
              "text": "a"} for at in range(LINES)]  # fmt: skip
    path = tmp_path / "manifest.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    took_s = seconds_of(benchmark, lambda: check_manifest(path).problems)
    print(f"\n{LINES} lines: {took_s:.1f} s")
    assert took_s <= MOST_S_OF_LINES


def seconds_of(benchmark: BenchmarkFixture, check: Callable[[], object]) -> float:
    """The time that a check takes in which nothing is found wrong."""
    assert benchmark.pedantic(check, rounds=1) == []  # type: ignore[no-untyped-call]
    stats = benchmark.stats
    assert stats is not None
    return float(stats.stats.max)
