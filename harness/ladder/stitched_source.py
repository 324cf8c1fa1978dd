"""Joins the answers of successive providers to one source: segments, times and audio accounts.

A *stretch* is the part of a source's audio that one provider accounts for. It begins where the last
final ended, so the provider that takes over gets all audio that wasn't final once more: no word is
lost, and finals stay as they are.
"""

import msgspec

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.contract import ASRSegment, AudioAccount, AudioSource

KEPT_S = 30.0
"""Audio that is kept for a replay; no provider takes longer to make speech final."""


class StitchedSource:
    """One source across providers, each of which numbers segments and counts audio from zero.

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
        """The present provider's own account at the beginning of its stretch."""
        self._settled = AudioAccount()  # of the stretches before
        self._ids: dict[int, int] = {}  # of this stretch's segments, by the provider's
        self._next_id = 0
        self._open: ASRSegment | None = None
        self._final_t1 = 0.0

    def keep(self, pcm: bytes) -> None:
        """Keep audio that was taken from the stream."""
        self.received += len(pcm) // BYTES_PER_SAMPLE
        self._kept += pcm
        self._forget_before(self.received - round(KEPT_S * SAMPLE_RATE_HZ))

    def begin_stretch(self, base: AudioAccount) -> bytes:
        """Begin a stretch with another provider, and return the audio to replay to it.

        Args:
            base: The provider's own account of the source so far, from which its times count.
        """
        self._stretch_begin, self.base, self._ids = self._kept_from, base, {}
        return bytes(self._kept)

    def settle(self) -> None:
        """Discard the audio kept for a replay, as at the end of the stream."""
        self._forget_before(self.received)

    def end_stretch(self, account: AudioAccount) -> None:
        """Settle the account of a stretch, which ends where the next one begins.

        Args:
            account: The provider's own account, which may include audio beyond that end.
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
        """Convert a segment of the present provider to one of the whole source.

        A stretch's first segment replaces the one that the provider before left open.
        """
        shift_s = (self._stretch_begin - self.base.received) / SAMPLE_RATE_HZ
        segment_id, before = self._id_of(segment.segment_id), self._open
        continues = before is not None and before.segment_id == segment_id
        revision = before.revision + 1 if before is not None and continues else 0
        shifted = segment.shifted(shift_s, self._final_t1)
        return self._note(
            msgspec.structs.replace(shifted, segment_id=segment_id, revision=revision)
        )

    def closing(self) -> ASRSegment | None:
        """The final of a segment that is still open at the end of the stream; None without one."""
        if self._open is None:
            return None
        words = len(self._open.text.split())
        final = msgspec.structs.replace(
            self._open, is_final=True, revision=self._open.revision + 1, stable_words=words
        )
        return self._note(final)

    def _id_of(self, theirs: int) -> int:
        if theirs not in self._ids:
            replaces = self._open is not None and not self._ids
            self._ids[theirs] = self._open.segment_id if self._open and replaces else self._next_id
            self._next_id = self._ids[theirs] + 1
        return self._ids[theirs]

    def _note(self, segment: ASRSegment) -> ASRSegment:
        if segment.is_final:
            self._open = None
            self._final_t1 = segment.t1
            self._forget_before(round(segment.t1 * SAMPLE_RATE_HZ))
        else:
            self._open = segment
        return segment

    def _forget_before(self, sample: int) -> None:
        count = min(sample, self.received) - self._kept_from
        if count > 0:
            del self._kept[: count * BYTES_PER_SAMPLE]
            self._kept_from += count
