"""One source's way through several providers: what is kept to be heard again, times and accounts.

A *stretch* is the part of a source's audio that one provider answers for. It begins where the last
final ended, so that what wasn't final is heard again by the provider that takes over, and no word
is lost; what was final stays as it is.
"""

import msgspec

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.contract import ASRSegment, AudioAccount, AudioSource

KEPT_S = 30.0
"""Audio that is kept to be heard again; no provider leaves speech open for longer."""


class StitchedSource:
    """A source; each provider on its way counts for itself, and the line counts on.

    Args:
        source: Whose audio it is.
    """

    def __init__(self, source: AudioSource | None) -> None:
        self.source = source
        self.received = 0
        self._kept = bytearray()
        self._kept_from = 0  # in samples; the next stretch would begin here
        self._stretch_begin = 0
        self.base = AudioAccount()
        """The present provider's own account, when its stretch began."""
        self._settled = AudioAccount()  # of the stretches before
        self._ids: dict[int, int] = {}  # of this stretch's segments, by the provider's
        self._next_id = 0
        self._open: ASRSegment | None = None
        self._final_t1 = 0.0

    def heard(self, pcm: bytes) -> None:
        """Note audio that came in."""
        self.received += len(pcm) // BYTES_PER_SAMPLE
        self._kept += pcm
        self._forget_before(self.received - round(KEPT_S * SAMPLE_RATE_HZ))

    def begin_stretch(self, base: AudioAccount) -> bytes:
        """Begin with another provider, and return what it has to hear first.

        Args:
            base: Its own account of the source so far; its times count from there.
        """
        self._stretch_begin, self.base, self._ids = self._kept_from, base, {}
        return bytes(self._kept)

    def settle(self) -> None:
        """Note that nothing has to be heard again, as when the stream is over."""
        self._forget_before(self.received)

    def end_stretch(self, account: AudioAccount) -> None:
        """Settle what the provider is answerable for: all before what is heard again.

        Args:
            account: The provider's own. It counts what it has decoded and what it had to give up
                beyond that point too.
        """
        length = self._kept_from - self._stretch_begin
        skipped = min(max(0, account.skipped - self.base.skipped), length)
        decoded = min(max(0, account.decoded - self.base.decoded), length - skipped)
        self._stretch_begin, self.base = self._kept_from, account
        self._settled.skipped += skipped
        self._settled.decoded += decoded
        self._settled.dropped += length - skipped - decoded

    def account(self, present: AudioAccount) -> AudioAccount:
        """Where all of the source's audio went.

        Args:
            present: The present provider's own account.
        """
        return AudioAccount(
            received=self.received,
            decoded=self._settled.decoded + present.decoded - self.base.decoded,
            skipped=self._settled.skipped + present.skipped - self.base.skipped,
            dropped=self._settled.dropped + present.dropped - self.base.dropped,
        )

    def moved(self, segment: ASRSegment) -> ASRSegment:
        """A segment of the present provider, as part of the whole line.

        The first that it speaks of takes the place of what the provider before left open.
        """
        shift_s = (self._stretch_begin - self.base.received) / SAMPLE_RATE_HZ
        segment_id, before = self._id_of(segment.segment_id), self._open
        goes_on = before is not None and before.segment_id == segment_id
        revision = before.revision + 1 if before is not None and goes_on else 0
        shifted = segment.shifted(shift_s, self._final_t1)
        return self._said(
            msgspec.structs.replace(shifted, segment_id=segment_id, revision=revision)
        )

    def closing(self) -> ASRSegment | None:
        """At the end: the final of what was left open and never taken up; None if nothing was."""
        if self._open is None:
            return None
        words = len(self._open.text.split())
        final = msgspec.structs.replace(
            self._open, is_final=True, revision=self._open.revision + 1, stable_words=words
        )
        return self._said(final)

    def _id_of(self, theirs: int) -> int:
        if theirs not in self._ids:
            takes_up = self._open is not None and not self._ids
            self._ids[theirs] = self._open.segment_id if self._open and takes_up else self._next_id
            self._next_id = self._ids[theirs] + 1
        return self._ids[theirs]

    def _said(self, segment: ASRSegment) -> ASRSegment:
        if segment.is_final:
            self._open = None
            self._final_t1 = segment.t1
            self._forget_before(round(segment.t1 * SAMPLE_RATE_HZ))
        else:
            self._open = segment
        return segment

    def _forget_before(self, sample: int) -> None:
        gone = min(sample, self.received) - self._kept_from
        if gone > 0:
            del self._kept[: gone * BYTES_PER_SAMPLE]
            self._kept_from += gone
