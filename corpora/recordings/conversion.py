"""The command that turns a file that libsndfile doesn't read into one that it reads."""

import shlex
from pathlib import Path

CONTAINERS = {
    (4, b"ftyp"): "an MP4 file (m4a, mp4, mov)",
    (0, b"\x1aE\xdf\xa3"): "a Matroska or WebM file",
    (0, b"\x30\x26\xb2\x75"): "a Windows Media file",
    (0, b"#!AMR"): "an AMR file",
    (0, b"ADIF"): "an AAC file",
    (0, b"\xff\xf1"): "an AAC file",
    (0, b"\xff\xf9"): "an AAC file",
    (0, b"FLV"): "a Flash video",
    (8, b"AVI "): "an AVI video",
    (0, b"FRM8"): "a DSD file",
    (0, b"DSD "): "a DSD file",
    (0, b"wvpk"): "a WavPack file",
    (0, b"MAC "): "a Monkey's Audio file",
    (0, b".RMF"): "a RealMedia file",
}
"""By place and bytes; a file's suffix may lie."""
HEADERLESS = {".raw", ".pcm", ".s16", ".sw", ".gsm", ".vox", ".g722", ".g729"}
SPHERE = b"NIST_1A"


def describe_unreadable(path: Path, error: str) -> tuple[str, str]:
    """Say what a file is that can't be read, and what to do."""
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        return "is empty", "the file once more, or the line left out"
    kinds = [kind for (at, magic), kind in CONTAINERS.items() if head[at:].startswith(magic)]
    if kinds:
        return f"is {kinds[0]}, which libsndfile doesn't read", ffmpeg(path)
    if head.startswith(SPHERE):
        return "is a SPHERE file in a form that libsndfile doesn't read", sox(path)
    if path.suffix.lower() in HEADERLESS:
        what = "has no header, so its rate and format aren't known"
        return what, f"what it is, with: {sox(path, before='-t raw -r 16000 -e signed -b 16 -c 1')}"
    what = f"isn't readable ({error.rstrip('.')})"
    return what, f"if it plays, {ffmpeg(path)}; else the line left out"


def ffmpeg(path: Path, *options: str) -> str:
    """A command that makes a file of 16 kHz and one channel beside a file.

    >>> ffmpeg(Path("a b.m4a"))
    "ffmpeg -i 'a b.m4a' -ac 1 -ar 16000 'a b-16k.flac'"
    """
    return " ".join(["ffmpeg -i", _quoted(path), *options, "-ac 1 -ar 16000", _quoted(_new(path))])


def sox(path: Path, *effects: str, before: str = "") -> str:
    """The same with sox; effects are put behind.

    >>> sox(Path("a.wav"), "remix 1")
    'sox a.wav -b 16 a-16k.flac remix 1 rate 16k'
    """
    parts = ["sox", before, _quoted(path), "-b 16", _quoted(_new(path)), *effects, "rate 16k"]
    return " ".join(filter(None, parts))


def _new(path: Path) -> Path:
    return path.with_name(f"{path.stem}-16k.flac")


def _quoted(path: Path) -> str:
    """For a shell in the folder where we are."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
