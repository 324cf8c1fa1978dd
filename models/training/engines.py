"""Both engines, each as one function from samples to timed words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import _pywhispercpp as binding
from faster_whisper import WhisperModel
from pywhispercpp.model import Model

from corpora.synthesis.utterances import RATE_HZ
from models.training.disturbances import Samples
from models.training.file_names import CTRANSLATE2, GGML
from models.training.tokens import END_OF_TEXT, FIRST_TIMESTAMP, TIMESTAMP_S


class TimedWord(NamedTuple):
    """A word and its time, in seconds from the clip's start."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Engine:
    """A way to decode: greedy, without retries at higher temperatures, 8-bit weights."""

    name: str
    decode: Callable[[Samples], list[TimedWord]]


def short_context(count: int) -> int:
    """Encoder positions that whisper.cpp needs for `count` samples, margin included.

    >>> short_context(16_000), short_context(80_000)
    (128, 314)
    """
    return max(128, -(-count * 50 // RATE_HZ) + 64)


def _timed_words(segment: Any) -> Iterator[TimedWord]:
    """Yield a faster-whisper segment's words, kept between its own time stamps.

    The alignment always begins a window's first word at the window's start, and `segment.start`
    follows it; only `segment.tokens` still holds what the model said.
    """
    offset_s = segment.seek / 100
    stamps = [token - FIRST_TIMESTAMP for token in segment.tokens if token >= FIRST_TIMESTAMP]
    begin_s, *_, end_s = [offset_s + stamp * TIMESTAMP_S for stamp in stamps] * 2
    for word in segment.words:
        yield TimedWord(
            word.word.strip(), max(float(word.start), begin_s), min(float(word.end), end_s)
        )


def _faster_whisper(folder: Path, threads: int) -> Engine:
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def decode(samples: Samples) -> list[TimedWord]:
        segments, _ = model.transcribe(
            samples,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        return [word for segment in segments for word in _timed_words(segment)]

    return Engine("faster-whisper", decode)


def _hinted_words(context: Any, segment: int) -> list[TimedWord]:
    """Read a whisper.cpp segment's words, each beginning at the likeliest time stamp beside it.

    The first begins with the segment, and each ends where the next one begins.
    """
    begin_s, end_s = (
        time(context, segment) / 100
        for time in (binding.whisper_full_get_segment_t0, binding.whisper_full_get_segment_t1)
    )
    tokens = [
        binding.whisper_full_get_token_data(context, segment, index)
        for index in range(binding.whisper_full_n_tokens(context, segment))
    ]
    words = [token for token in tokens if token.id < END_OF_TEXT]
    starts = [begin_s]
    for token in words[1:]:
        hint_s = (token.tid - FIRST_TIMESTAMP) * TIMESTAMP_S
        starts.append(min(max(hint_s, starts[-1]), end_s))
    return [
        TimedWord(binding.whisper_token_to_str(context, token.id).strip(), start_s, stop_s)
        for token, (start_s, stop_s) in zip(words, pairwise([*starts, end_s]), strict=True)
    ]


def _whisper_cpp(path: Path, threads: int) -> Iterator[Engine]:
    model: Any = Model(
        str(path),
        n_threads=threads,
        print_progress=False,
        print_realtime=False,
        redirect_whispercpp_logs_to=None,
    )

    def decode(samples: Samples, audio_ctx: int) -> list[TimedWord]:
        segments = model.transcribe(
            samples,
            audio_ctx=audio_ctx,
            temperature_inc=0.0,
            token_timestamps=False,
            max_len=0,
            split_on_word=False,
        )
        context = model._ctx  # no public way leads to the tokens, and the stubs know of none
        return [word for index in range(len(segments)) for word in _hinted_words(context, index)]

    def decode_plainly(samples: Samples) -> list[TimedWord]:
        segments = model.transcribe(
            samples,
            audio_ctx=short_context(len(samples)),
            temperature_inc=0.0,
            token_timestamps=True,
            max_len=1,
            split_on_word=True,
        )
        return [
            TimedWord(segment.text, segment.t0 / 100, segment.t1 / 100)
            for segment in segments
            if segment.text
        ]

    yield Engine("whisper.cpp", lambda samples: decode(samples, 0))
    yield Engine(
        "whisper.cpp, short context", lambda samples: decode(samples, short_context(len(samples)))
    )
    yield Engine("whisper.cpp, short context, its own word times", decode_plainly)


def load_engines(embedded: Path, threads: int) -> list[Engine]:
    """Load both engines' models from a folder like `models/embedded`.

    Raises:
        FileNotFoundError: A model is not there; pywhispercpp itself would crash later.
    """
    folder, path = embedded / CTRANSLATE2, embedded / GGML
    for needed in (folder / "model.bin", path):
        if not needed.is_file():
            raise FileNotFoundError(f"{needed}: export the model first")
    return [_faster_whisper(folder, threads), *_whisper_cpp(path, threads)]
