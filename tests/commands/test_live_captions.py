"""Captions of `live send` in a terminal: redrawn, cut to its width, and safe to print."""

import io
import re
import unicodedata

import pytest

from harness.contract import ASRHealth, AudioSource
from harness.live.client.terminal import Captions
from harness.live.protocol.messages import Ended, Final, Metrics, Partial, Pressure, Ready, Status

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 60 columns."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    return io.StringIO()


def test_a_terminal_shows_what_is_being_said(terminal: io.StringIO) -> None:
    captions = Captions(terminal, live=True)
    health = ASRHealth(
        realtime_factor=0.1, avg_infer_ms=1.0, backlog_estimate=0, model_resident=True
    )
    text = {"segment_id": 0, "t0": 0.0, "t1": 1.0, "stable_words": 0, "words": ()}
    for message in (
        Ready(session="s", provider="p", model="m", chunk_seconds=2.0, sources=(MIC, SYSTEM),
              level="normal"),
        Partial(source=MIC, revision=0, text="good", **text),  # type: ignore[arg-type]
        Partial(source=SYSTEM, revision=0, text="word " * 40, **text),  # type: ignore[arg-type]
        Metrics(at_s=3.0, rtf=0.5, level="normal", sources={}, health=health, cpu_s=1.0,
                rss_bytes=1 << 30, listeners=1),
        Status(at_s=3.0, level="warning", before="normal", cause="rtf", message="slow",
               actions=("longer",)),
        Pressure(source=MIC, at_s=3.0, level=0.5, reason="slow"),
        Final(source=MIC, revision=1, text="good \x1b[2Jmorning", **text),  # type: ignore[arg-type]
        Ended(session="s", finals=1),
    ):  # fmt: skip
        captions.show(message)
    captions.close()
    assert replayed(terminal.getvalue(), width=60) == [
        "-- s: mic, system on p m",
        "-- warning: slow (rtf; longer)",
        "-- mic: queue 50% full, slow",
        "  0:00 mic     good \\x1b[2Jmorning",
        "-- ended, 1 finals",
    ]
    assert "…" in terminal.getvalue()  # the long partial was cut to the line


WIDE = "本日は晴天なり" * 8
"""Each character takes two columns."""


def test_wide_characters_are_measured_in_columns(terminal: io.StringIO) -> None:
    """By their number, 112 columns would pass for 56, and a line drawn again would take two."""
    captions = Captions(terminal, live=True)
    text = {"segment_id": 0, "t0": 3700.0, "t1": 3701.0, "stable_words": 0, "words": ()}
    captions.show(Ready(session="s", provider="p", model="m", chunk_seconds=2.0, sources=(MIC,),
                        level="normal"))  # fmt: skip
    for revision in range(3):
        partial = Partial(source=MIC, revision=revision, text=WIDE, **text)  # type: ignore[arg-type]
        captions.show(partial)
    drawn = replayed(terminal.getvalue(), width=60)
    assert drawn[1:] == [f"       mic     …{WIDE[-22:]}"]
    captions.show(Final(source=MIC, revision=3, text=WIDE, **text))  # type: ignore[arg-type]
    captions.close()
    _, first, *others = replayed(terminal.getvalue(), width=60)
    assert first.startswith(" 61:40 mic     ")
    assert "".join([first[15:], *(line[15:] for line in others)]) == WIDE


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def replayed(written: str, width: int) -> list[str]:
    """What a terminal shows after all of this; no line may be wider than it."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b") and part != "\r":
            lines[row] += part
            assert columns(lines[row]) <= width, lines[row]
        else:
            assert part == "\r" or part.endswith("m") or part in ("\x1b[?25l", "\x1b[?25h")
    return [line.rstrip() for line in lines if line.strip()]
