"""Messages come out of a pipe as they went in, in whatever parts; what is no message is refused."""

import os
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.processes.framing import Frames, Outbox, frame


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(0, 200)))
def test_messages_are_the_same_in_any_parts(messages: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(map(frame, messages))
    at = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    frames = Frames(bytes)
    parts = [sent[begin:end] for begin, end in zip(at, [*at[1:], len(sent)], strict=True)]
    assert [message for part in parts for message in frames.feed(part)] == messages


def test_a_length_over_the_limit_is_refused_before_its_bytes_come() -> None:
    assert list(Frames(bytes, max_bytes=3).feed(frame(b"one"))) == [b"one"]
    with pytest.raises(msgspec.DecodeError, match="4 bytes in one message"):
        list(Frames(bytes, max_bytes=3).feed(frame(b"four")[:4]))


def test_an_outbox_never_waits_and_writes_all_in_order() -> None:
    incoming, outgoing = os.pipe()
    bodies = [bytes([number]) * 50_000 for number in range(20)]
    with os.fdopen(outgoing, "wb", 0) as pipe:
        outbox = Outbox(pipe)
        for body in bodies:
            outbox.send(body)  # a pipe takes 64 KiB, and nothing has been read
        frames, received = Frames(bytes), list[bytes]()
        while len(received) < len(bodies):
            received += frames.feed(os.read(incoming, 1 << 16))
        outbox.close()
    os.close(incoming)
    assert received == bodies


def test_an_outbox_whose_reader_is_gone_ends() -> None:
    incoming, outgoing = os.pipe()
    os.close(incoming)
    before = set(threading.enumerate())
    with os.fdopen(outgoing, "wb", 0) as pipe:
        outbox = Outbox(pipe)
        (thread,) = set(threading.enumerate()) - before
        outbox.send(b"1")
        thread.join(5)
        assert not thread.is_alive()
