"""GPT-2's byte pair tokeniser in the form of Hugging Face's `tokenizer.json`."""

from typing import Any

from models.training.tokens import (
    END_OF_TEXT,
    FIRST_TIMESTAMP,
    byte_pair_ranks,
    special_tokens,
)


def _printable_bytes() -> dict[int, str]:
    """Map each byte to the printable character that GPT-2 writes for it.

    >>> [_printable_bytes()[byte] for byte in (32, 65, 255)]
    ['Ġ', 'A', 'ÿ']
    """
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in kept]
    moved = {byte: chr(256 + number) for number, byte in enumerate(others)}
    return {**{byte: chr(byte) for byte in kept}, **moved}


def _merges(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Find which two tokens each longer token is merged from.

    >>> _merges({b"a": 0, b"b": 1, b"ab": 2, b"abb": 3})
    [(b'a', b'b'), (b'ab', b'b')]
    """
    pairs = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        parts = [token[place : place + 1] for place in range(len(token))]
        while len(parts) > 2:
            # The merge of lowest rank first; all that built this token are of a lower rank than it.
            _, place = min(
                (ranks[parts[place] + parts[place + 1]], place)
                for place in range(len(parts) - 1)
                if ranks.get(parts[place] + parts[place + 1], rank) < rank
            )
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        if len(parts) == 2:
            pairs.append((parts[0], parts[1]))
    return pairs


def _text(token: bytes) -> str:
    return "".join(_PRINTABLE[byte] for byte in token)


_PRINTABLE = _printable_bytes()


def vocabulary() -> list[str]:
    """List all 51864 tokens in the order of their ids, text tokens as GPT-2 prints them."""
    ranks = sorted(byte_pair_ranks().items(), key=lambda item: item[1])
    return [_text(token) for token, _ in ranks] + special_tokens()


def tokenizer_json() -> dict[str, Any]:
    """Describe the tokeniser; without this file faster-whisper looks for one on the network."""
    tokens = vocabulary()
    byte_level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": number < FIRST_TIMESTAMP,
            }
            for number, token in enumerate(tokens[END_OF_TEXT:], start=END_OF_TEXT)
        ],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "add_prefix_space": False},
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens[: END_OF_TEXT + 1])},
            "merges": [
                f"{_text(left)} {_text(right)}" for left, right in _merges(byte_pair_ranks())
            ],
        },
    }
