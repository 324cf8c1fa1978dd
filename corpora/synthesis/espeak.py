"""espeak-ng through ctypes: speech together with the moment at which each word begins.

The command line tool writes audio only. The library also reports *word events*, and those are what
makes exact word times possible without any aligner. The library keeps its state in globals, so a
process should hold one `Espeak` and use it from one thread.
"""

import ctypes
import ctypes.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import EchobenchError

_LIBRARY_NAMES = (
    "libespeak-ng.so.1",
    "libespeak-ng.1.dylib",
    # Homebrew's folders are not on the default search path of the macOS loader.
    "/opt/homebrew/lib/libespeak-ng.1.dylib",
    "/usr/local/lib/libespeak-ng.1.dylib",
)
_INSTALL_HINT = "`apt-get install espeak-ng` or `brew install espeak-ng`"

# The names and values of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_LIST_TERMINATED, _EVENT_WORD = 0, 1


class SynthesisError(EchobenchError):
    """espeak-ng is missing, or refused what it was asked to say."""


@dataclass(frozen=True)
class Speech:
    """What the synthesiser said.

    Attributes:
        samples: Mono int16, shape (n,), at the synthesiser's own rate.
        word_starts: int64, shape (words,): index of the first sample of each word. It has fewer
            entries than the text has words where espeak's dictionary holds a phrase ("turn on"),
            because a phrase raises one event.
    """

    samples: NDArray[np.int16]
    word_starts: NDArray[np.int64]


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def _load_library() -> ctypes.CDLL:
    found = ctypes.util.find_library("espeak-ng")
    for name in (*_LIBRARY_NAMES, *([found] if found else [])):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise SynthesisError("espeak-ng", "its library was not found", _INSTALL_HINT)


class Espeak:
    """The synthesiser. `rate_hz` is its sample rate, `version` its version number."""

    def __init__(self) -> None:
        self._library = _load_library()
        self.rate_hz = int(
            self._library.espeak_Initialize(
                _AUDIO_OUTPUT_SYNCHRONOUS, 0, None, _INITIALIZE_DONT_EXIT
            )
        )
        if self.rate_hz <= 0:
            raise SynthesisError("espeak-ng", "its voice data was not found", _INSTALL_HINT)
        self._library.espeak_Info.restype = ctypes.c_char_p
        self.version = self._library.espeak_Info(None).decode()
        self._blocks: list[NDArray[np.int16]] = []
        self._words: set[tuple[int, int]] = set()
        self._callback = _Callback(self._collect)  # held here: the library keeps a bare pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            if events[index].type == _EVENT_WORD:
                self._words.add((events[index].text_position, events[index].sample))
            index += 1
        return 0

    def say(
        self,
        text: str,
        voice: str,
        *,
        words_per_minute: int = 175,
        pitch: int = 50,
        pitch_range: int = 50,
    ) -> Speech:
        """Synthesise one clause.

        Args:
            text: Words without punctuation: punctuation makes clauses, whose events start anew.
            voice: A language, or a language and a variant joined by "+", as in "en-us+f3".
            words_per_minute: Speaking rate, 80 to 450.
            pitch: Base pitch, 0 to 100; what 50 sounds like depends on the voice.
            pitch_range: Liveliness of the intonation, 0 (monotone) to 100.

        Raises:
            SynthesisError: There is no such voice, or nothing was said. (The library itself
                reports an unknown voice only in a return code and goes on with the last one.)
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SynthesisError(f"espeak-ng {self.version}", f"there is no voice {voice!r}")
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._blocks.clear()
        self._words.clear()
        raw = text.encode() + b"\0"
        self._library.espeak_Synth(
            raw, len(raw), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        self._library.espeak_Synchronize()
        if not self._blocks:
            problem = f"nothing was said for {text!r} in voice {voice!r}"
            raise SynthesisError("espeak-ng", problem)
        # Positions count from 1; now and then a clause ends with an event for "word" 0.
        starts = [sample for position, sample in sorted(self._words) if position > 0]
        return Speech(np.concatenate(self._blocks), np.array(starts, np.int64))
