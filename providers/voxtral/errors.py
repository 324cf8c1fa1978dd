"""Converts voxtral.c's error messages to this project's errors."""

import re
from collections.abc import Callable

from harness.errors import AudioError, EchobenchError, ModelError, ProviderError, UnavailableError

MAX_SHOWN = 200
Make = Callable[[str, str, str], EchobenchError]
MODEL = "the three files of Voxtral-Mini-4B-Realtime-2602, as download_model.sh of voxtral.c gets"
NEWER = "voxtral.c of February 2026 or later, with --stdin, -I and --monitor"

KNOWN: list[tuple[str, Make, str, str]] = [
    (r"safetensors_open: open failed: (.+)", ModelError, r"consolidated.safetensors: \1", MODEL),
    (r"safetensors_open: (file too small|invalid header size|failed to parse header)",
     ModelError, r"consolidated.safetensors is damaged (\1)", MODEL),
    (r"safetensors_open: data out of bounds for (\S+)",
     ModelError, r"consolidated.safetensors is cut short (\1)", MODEL),
    (r"(?:encoder|adapter|decoder): weight not found: (\S+)",
     ModelError, r"consolidated.safetensors has no \1", MODEL),
    (r"vox_tokenizer_load: cannot open (.+)", ModelError, "tekken.json can't be opened", MODEL),
    (r"Failed to init stream", ModelError, "tekken.json is damaged", MODEL),
    (r"Failed to load model from .+", ModelError, "the model can't be loaded", MODEL),
    (r"Unknown option: (\S+)", UnavailableError, r"the program knows no option \1", NEWER),
    (r"Error: -I requires a positive number of seconds",
     ProviderError, "the interval isn't positive", "seconds above 0"),
    (r"Invalid WAV on stdin \((.+)\)", AudioError, r"a WAV header (\1)", "16-bit mono PCM"),
    (r"WAV stdin streaming requires 16kHz mono \(got (.+?)\)",
     AudioError, r"a WAV header (\1)", "16-bit mono PCM, 16000 Hz"),
    (r"Not enough data on stdin", ProviderError, "its audio ended before it began", "audio"),
    (r"(?:error while loading shared libraries|Library not loaded): (\S+)",
     UnavailableError, r"the program lacks the library \1", "the library, or a build without it"),
]  # fmt: skip
"""Message pattern, error class, problem, what is allowed; the first match counts."""


def explained(where: str, how_it_ended: str, stderr: str) -> EchobenchError:
    r"""Return the error for a process that ended.

    Args:
        where: The provider and source, or the model's folder, for messages.
        how_it_ended: Its exit status or signal, in words.
        stderr: The end of its standard error.

    >>> explained("voxtral", "exited with 1", "Unknown option: --monitor\nUsage: …").problem
    'the program knows no option --monitor'
    >>> explained("voxtral", "was killed by SIGSEGV", "▶▪▶▪\nggml: assertion failed")
    ProviderError('voxtral: the process was killed by SIGSEGV (ggml: assertion failed)')
    """
    for pattern, make, problem, allowed in KNOWN:
        if (match := re.search(pattern, stderr)) is not None:
            return make(where, match.expand(problem), allowed)
    last = next((line for line in reversed(without_symbols(stderr)) if line), "")
    words = f" ({last[:MAX_SHOWN]})" if last else ""
    return ProviderError(where, f"the process {how_it_ended}{words}")


def without_symbols(stderr: str) -> list[str]:
    r"""Return the lines of standard error without the symbols of `--monitor`.

    >>> without_symbols("Model loaded.\n⌛▶·▶▪▶▫⚠↯♻")
    ['Model loaded.', '']
    """
    return [re.sub(r"[⌛▶·▪▸▫▹✗✘◦⚠☠↺⟳↯⌚✂♻]", "", line).strip() for line in stderr.splitlines()]
