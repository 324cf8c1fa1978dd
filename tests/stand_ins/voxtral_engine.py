"""What `voxtral_binary` computes: when the real voxtral.c would answer, and words for sounds.

The real one's bookkeeping is kept to the sample: mel frames of 10 ms, an encoder that runs when
enough of them are new, eight of them a token, a prompt of 39 tokens, a decoder that says a token
each 80 ms of audio and 480 ms late, and the resets by which a live stream renews itself. Only the
network in the middle is missing: a burst of sound is a word here, chosen by its length and pitch.

Nothing but the standard library is used, so that a process starts in no time.
"""

import array
import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterator

SAMPLE_RATE_HZ = 16_000
HOP, WINDOW = 160, 400
TOKEN = 1280
LEFT_PAD = 200 + 32 * TOKEN
DELAY_TOKENS = 6
PROMPT_TOKENS = 1 + 32 + DELAY_TOKENS
RIGHT_PAD_TOKENS = DELAY_TOKENS + 1 + 10
FIRST_MEL = 312
MAX_KEYS = 2000
MAX_SILENT_TOKENS = 64
MAX_UNDECODED = 20 * SAMPLE_RATE_HZ

LOUD = 250
"""Mean magnitude of a loud frame, of 32768."""
GAP_FRAMES, SHORTEST_FRAMES, MAX_FRAMES = 4, 6, 40
WORDS = (
    " a|we|to|sí|été|où|no|öl", " green|wood|naïve|garden|señor|plain|größe|field",
    " tomorrow|windows|déjà-vu|evening|mañana|number|über|question",
)  # fmt: skip
"""For short, medium and long bursts; the pitch rises from left to right."""
CROSSINGS = (35, 57, 85, 125, 180, 250, 340)
"""Of zero, for each 10 ms, times ten: where the next pitch begins."""
_SIGNS = bytes(byte >> 7 for byte in range(256))


class Ear:
    """Finds bursts of sound, and has a word for each."""

    def __init__(self) -> None:
        self._loud = self._quiet = self._crossings = 0

    def hear(self, token: bytes) -> Iterator[str]:
        """Listen to the audio of a token, and yield the words that end in it."""
        for at in range(0, len(token), 2 * HOP):
            frame = token[at : at + 2 * HOP]
            if sum(map(abs, _samples(frame))) > LOUD * HOP:
                self._loud, self._quiet = self._loud + 1, 0
                self._crossings += frame[1::2].translate(_SIGNS).count(b"\0\1")
            else:
                self._quiet += 1
            if self._loud and (self._quiet == GAP_FRAMES or self._loud == MAX_FRAMES):
                if self._loud >= SHORTEST_FRAMES:
                    yield self._word()
                self._loud = self._crossings = 0

    def _word(self) -> str:
        words = WORDS[(self._loud >= 15) + (self._loud >= 30)].strip().split("|")
        rate = 10 * self._crossings / self._loud
        return f" {words[sum(rate >= edge for edge in CROSSINGS)]}"


class Engine:
    """See the module.

    Args:
        interval_s: As `-I` gives it.
        eos_after: Tokens of silence after a word that end the decoder's text; None never does.
        note: Takes the symbols of `--monitor`.
        think: Called with the number of tokens before the encoder or the decoder computes.
    """

    def __init__(
        self,
        interval_s: float,
        eos_after: int | None,
        note: Callable[[str], None],
        think: Callable[[int], None],
    ) -> None:
        self.least_mel = max(1, int(interval_s * 100))
        self.note, self.think, self._eos_after = note, think, eos_after
        self.fed = self.last_decode = 0
        self.generated = self.text_tokens = 0
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._out: list[bytes] = []
        self._first = True
        self._empty_restarts = 0
        self._reset_all()

    def feed(self, pcm: bytes) -> list[bytes]:
        """Take samples, and return the pieces of text that they lead to."""
        self._audio += pcm
        self.fed += len(pcm) // 2
        self._encode(self.least_mel if self._encoded else FIRST_MEL)
        self._decode()
        return self._taken()

    def finish(self) -> list[bytes]:
        """Pad with silence, and return the rest."""
        self._audio += bytes(2 * (-self.fed % TOKEN + RIGHT_PAD_TOKENS * TOKEN))
        self._encode(1 if self._encoded else FIRST_MEL)
        self._decode()
        self._audio += bytes(WINDOW - 2 * HOP)  # half a window of samples, less the last frame
        self._encode(1)
        self._decode()
        return self._taken()

    def _reset_all(self) -> None:
        """`♻`: forget the audio too; silence is put in its place."""
        self._audio = bytearray(2 * LEFT_PAD)
        self._forgotten = 0  # samples, from the front of the audio
        self.mel = self._encoded = 0
        self._ear = Ear()
        self._reset_decoder()

    def _reset_decoder(self) -> None:
        """`✂`: what comes next is a prompt again, silence or not."""
        self.tokens = self._said = self._silent = self._keys = 0
        self._started = self._waiting = self._eos = self._text = False
        self._heard = self._encoded // 8
        self._pieces.clear()

    def _encode(self, least_mel: int) -> None:
        self.mel = (self._forgotten + len(self._audio) // 2 - WINDOW) // HOP + 1
        if self.mel - self._encoded < least_mel:
            return
        before, self._encoded = self._encoded, self.mel
        if self.mel // 2 == before // 2:
            return  # not enough for one position of the encoder
        new = self.mel // 8 - before // 8
        self.think(new)
        self.tokens += new
        self.note("▶")

    def _decode(self) -> None:
        if not self._started and self.tokens < PROMPT_TOKENS:
            if not self._waiting:
                self.note("⌛")
            self._waiting = True
            return
        self._generate()
        self._renew()

    def _generate(self) -> None:
        steps = texts = 0
        if not self._started:
            self._started, self._waiting = True, False
            self._skip_to(PROMPT_TOKENS)
            self._keys, self._silent = PROMPT_TOKENS, 1
            self.generated, self.last_decode = self.generated + 1, self.fed
            self.note("·")
        if self._eos:
            return
        self.think(self.tokens - self._said)
        while self._said < self.tokens and not self._eos:
            is_text = self._step()
            steps, texts = steps + 1, texts + is_text
        if steps:
            streak = MAX_SILENT_TOKENS - self._silent
            worry = "☠" if streak <= 8 else "⚠" if streak <= MAX_SILENT_TOKENS // 2 else ""
            only_end = self._eos and steps == 1
            self.note("▪" if texts else "◦" if only_end else "▫" + worry)

    def _step(self) -> bool:
        """One token: hear 80 ms, say what was heard six tokens ago."""
        for word in self._ear.hear(self._next_audio()):
            pieces = _pieces_of(word)
            self._pieces.extend(
                (self._said + DELAY_TOKENS + turn, piece) for turn, piece in enumerate(pieces)
            )
        self._said += 1
        self._keys += 1
        self.generated += 1
        self.last_decode = self.fed
        if self._pieces and self._pieces[0][0] < self._said:
            self._out.append(self._pieces.popleft()[1])
            self.text_tokens += 1
            self._silent, self._text, self._empty_restarts = 0, True, 0
            return True
        self._silent += 1
        if self._eos_after is not None and self._text and self._silent > self._eos_after:
            self._eos = True
        return False

    def _skip_to(self, token: int) -> None:
        """Take audio into the prompt, where nobody listens to it."""
        while self._said < token:
            self._next_audio()
            self._said += 1
        self._ear = Ear()

    def _next_audio(self) -> bytes:
        """The audio of the next token."""
        begin = 2 * (self._heard * TOKEN - self._forgotten)
        self._heard += 1
        audio = bytes(self._audio[begin : begin + 2 * TOKEN])
        forget = begin - 2 * SAMPLE_RATE_HZ
        if forget > 0:
            del self._audio[:forget]
            self._forgotten += forget // 2
        return audio

    def _renew(self) -> None:
        everything = True
        if self._eos:
            symbol, everything = "↺", False
        elif self._started and self._keys > MAX_KEYS:
            symbol = "⟳"
        elif self._started and self._silent >= MAX_SILENT_TOKENS:
            symbol = "↯"
        elif self.fed - self.last_decode >= MAX_UNDECODED:
            symbol = "⌚"
        else:
            return
        self._empty_restarts = 0 if self._text else self._empty_restarts + 1
        if everything or self._empty_restarts >= 2:
            self.note(symbol + "♻")
            self._empty_restarts = 0
            self._reset_all()
        else:
            self.note(symbol + "✂")
            self._reset_decoder()
        self.last_decode = self.fed

    def _taken(self) -> list[bytes]:
        taken, self._out = self._out, []
        if taken and self._first:
            taken[0], self._first = taken[0].lstrip(b" "), False
        return taken


def _samples(frame: bytes) -> "array.array[int]":
    samples = array.array("h", frame)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _pieces_of(word: str) -> list[bytes]:
    """A word's tokens: each goes up to the first byte of a character that has more than one."""
    encoded = word.encode()
    cuts = [at + 1 for at, byte in enumerate(encoded) if byte >= 0xC0]
    edges = [0, *cuts, len(encoded)]
    return [encoded[begin:end] for begin, end in itertools.pairwise(edges) if end > begin]
