"""Whisper's English-only token layout, and the few rows of it that are trained.

The engines demand the whole layout of 51864 ids. The model uses 838 of them: 82 words, five special
tokens, and every second time stamp. All others share one row, which keeps training small and lets
the exported files compress.
"""

import base64
import importlib.util
from pathlib import Path

from corpora.synthesis.vocabulary import WORDS

END_OF_TEXT = 50256
START_OF_TRANSCRIPT = 50257
START_OF_PREVIOUS = 50360
NO_SPEECH = 50361
NO_TIMESTAMPS = 50362
FIRST_TIMESTAMP = 50363
TOKEN_COUNT = 51864
TIMESTAMP_S = 0.02
TIMESTAMP_COUNT = TOKEN_COUNT - FIRST_TIMESTAMP

GRID = 2
"""Every second time stamp is trained: a grid of 0.04 s."""
GRID_S = GRID * TIMESTAMP_S
GRID_COUNT = TIMESTAMP_COUNT // GRID + 1

# Rows in training: words first, so that a word's row is its index in WORDS.
ROW_END_OF_TEXT = len(WORDS)
ROW_NO_SPEECH = ROW_END_OF_TEXT + 1
ROW_NO_TIMESTAMPS = ROW_END_OF_TEXT + 2
ROW_START_OF_TRANSCRIPT = ROW_END_OF_TEXT + 3
ROW_START_OF_PREVIOUS = ROW_END_OF_TEXT + 4
ROW_FIRST_TIMESTAMP = ROW_END_OF_TEXT + 5
ROW_COUNT = ROW_FIRST_TIMESTAMP + GRID_COUNT
"""Rows in use. One more row, with this index, stands for all unused ids."""

_LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th "
    "ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr "
    "pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt "
    "haw ln ha ba jw su"
).split()


def whisper_asset(name: str) -> Path:
    """Find a data file of the openai-whisper package, without importing the package.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    spec = importlib.util.find_spec("whisper")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"whisper/assets/{name}: install it with `pip install --no-deps openai-whisper`"
        )
    return Path(spec.origin).parent / "assets" / name


def byte_pair_ranks() -> dict[bytes, int]:
    """Read GPT-2's token table: the bytes of each of the 50256 text tokens, and its id."""
    lines = whisper_asset("gpt2.tiktoken").read_bytes().splitlines()
    pairs = (line.split() for line in lines if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def special_tokens() -> list[str]:
    """Name the 1608 tokens after the text tokens, in the order of their ids.

    >>> names = special_tokens()
    >>> names[NO_TIMESTAMPS - END_OF_TEXT], names[-1]
    ('<|notimestamps|>', '<|30.00|>')
    """
    return [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{language}|>" for language in _LANGUAGES),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
        *(f"<|{index * TIMESTAMP_S:.2f}|>" for index in range(TIMESTAMP_COUNT)),
    ]


def row_ids() -> list[int]:
    """List the token id of each row in use, shape (ROW_COUNT,)."""
    ranks = byte_pair_ranks()
    words = [ranks[b" " + word.encode()] for word in WORDS]
    special = [END_OF_TEXT, NO_SPEECH, NO_TIMESTAMPS, START_OF_TRANSCRIPT, START_OF_PREVIOUS]
    return words + special + list(range(FIRST_TIMESTAMP, TOKEN_COUNT, GRID))
