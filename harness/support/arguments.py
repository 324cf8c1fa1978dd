"""The options that several commands share, and functions that parse option values."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from harness.errors import UsageError

T = TypeVar("T")


CHUNK_SECONDS = (0.1, 30.0)
DURATION_S = (1.0, 86_400.0)
SEEDS = range(2**31)
GATES = ("target", "minimum")
OPTIONS = {
    "--provider": ("NAME", "a provider, optionally with options of its own, as in "
                   "faster_whisper:device=cuda:beam_size=5"),
    "--model": ("NAME", "'embedded', a name that the engine knows, which is fetched through the "
                "Hugging Face cache, or a path"),
    "--chunk-seconds": ("SECONDS", "audio per chunk, 0.1 to 30"),
    "--scenario": ("NAME", "a file in suites/scenarios/, by name or by its letter"),
    "--duration": ("SECONDS", "length of the scenario"),
    "--corpus": ("NAME", "what is spoken: 'embedded', or the path of a manifest of your own, JSON "
                 "lines as NeMo has them"),
    "--vad": ("NAME|off", "filter silence out before the queue: 'silero', or 'off'"),
    "--clock": ("wall|virtual", "wait for real, or skip idle waits and charge compute in full"),
    "--transport": ("in_process|ws", "hand the audio over directly, or send it through the live "
                    "server's WebSocket, on the wall clock"),
    "--gate": ("|".join(GATES), "which column of the thresholds fails the run"),
    "--thresholds": ("FILE", "what trials are held to"),
    "--seed": ("N", "for the order of utterances and the noise"),
    "--runs-dir": ("DIR", "where runs are kept"),
}  # fmt: skip
"""By flag: the name of its value, and its help text."""


def option(flag: str, otherwise: object, **more: Any) -> dict[str, Any]:
    """Make the arguments of argparse's `add_argument` or pytest's `addoption` for an option.

    Args:
        flag: The option.
        otherwise: The default, in words.
        **more: Other arguments to pass on, such as `type`.

    >>> option("--seed", 1, type=int)
    {'metavar': 'N', 'help': 'for the order of utterances and the noise (default: 1)', \
'type': <class 'int'>}
    """
    metavar, purpose = OPTIONS[flag]
    return {"metavar": metavar, "help": f"{purpose} (default: {otherwise})", **more}


def split_list(option: str, values: Iterable[str]) -> list[str]:
    """Split values at commas and remove repeated ones.

    Raises:
        UsageError: One of them is empty.

    >>> split_list("--chunk-seconds", ["2,4", "8, 2"])
    ['2', '4', '8']
    """
    parts = [part.strip() for value in values for part in value.split(",")]
    return list(dict.fromkeys(not_empty(option, part) for part in parts))


def not_empty(option: str, text: str) -> str:
    """Return the text unless it is empty.

    Raises:
        UsageError: It is empty, as from a shell variable that isn't set.
    """
    if not text.strip():
        raise UsageError(option, "nothing was given", "a value, or the option left out")
    return text


def number_in(option: str, text: str, allowed: tuple[float, float]) -> float:
    """Parse a number in a range.

    Raises:
        UsageError: It isn't a number, or not in the range.

    >>> number_in("--chunk-seconds", "2.5", (0.1, 30.0))
    2.5
    """
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not allowed[0] <= number <= allowed[1]:
        raise UsageError(option, repr(text), f"a number from {allowed[0]:g} to {allowed[1]:g}")
    return number


def whole_number_in(option: str, text: str, allowed: range) -> int:
    """Parse a whole number in a range.

    Raises:
        UsageError: It isn't a whole number, or not in the range.

    >>> whole_number_in("--seed", "7", range(10))
    7
    """
    number = int(text) if text.isascii() and text.isdecimal() else -1
    if number not in allowed:
        problem = f"a whole number from {allowed[0]} to {allowed[-1]}"
        raise UsageError(option, repr(text), problem)
    return number


def one_of(option: str, text: str, read: Callable[[str], T], allowed: Iterable[str]) -> T:
    """Parse one of several allowed words.

    Raises:
        UsageError: It is none of them.
    """
    try:
        return read(text)
    except ValueError:
        raise UsageError(option, repr(text), ", ".join(allowed)) from None
