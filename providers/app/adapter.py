"""Reads adapter files, which describe the WebSocket protocol of a captioning server.

`suites/adapters/echopanel.toml` explains the fields.
"""

import base64
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from harness.contract import AudioSource
from harness.errors import DataFileError
from harness.support.data_file import read_toml

Message = dict[str, Any]
PLACES = ("{session}", "{source}", "{pcm}")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A message with text, and the names of its fields; "" for a field that it doesn't have."""

    when: Annotated[Message, Meta(min_length=1)]
    text: Annotated[str, Meta(min_length=1)]
    t0: str = ""
    t1: str = ""
    source: str = ""


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server's protocol."""

    title: str
    url: Annotated[str, Meta(pattern=r"^wss?://")]
    token_variable: str = ""
    sources: Annotated[dict[AudioSource, str], Meta(min_length=1)]
    start: Message | None = None
    ready: Message | None = None
    audio: Message | None = None
    """None sends bare binary PCM."""
    end: Message
    done: Message | None = None
    partial: Text | None = None
    final: Text
    errors: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if self.audio is None and len(self.sources) > 1:
            raise ValueError("bare PCM doesn't name its source; name one in [sources]")
        if self.audio is not None and "{pcm}" not in self.audio.values():
            raise ValueError("[audio] has no field with {pcm}")

    def first(self, session: str) -> str | None:
        """Return the first message, if there is one."""
        return None if self.start is None else _filled(self.start, session=session)

    def last(self, session: str) -> str:
        """Return the message that follows all audio."""
        return _filled(self.end, session=session)

    def frame(self, session: str, source: AudioSource, pcm: bytes) -> str | bytes:
        """Return the message that carries a piece of audio."""
        if self.audio is None:
            return pcm
        coded = base64.b64encode(pcm).decode()
        return _filled(self.audio, session=session, source=self.sources[source], pcm=coded)

    def source_of(self, name: Any) -> AudioSource | None:
        """Map the server's name for a source to ours; an adapter with one source needs no name."""
        known = {theirs: ours for ours, theirs in self.sources.items()}
        return known.get(name) or (next(iter(self.sources)) if len(self.sources) == 1 else None)


def read_adapter(path: Path) -> Adapter:
    """Read an adapter's file.

    Raises:
        DataFileError: A field is missing, unknown or of the wrong form.
    """
    adapter = read_toml(path, Adapter)
    known = {"start": {"{session}"}, "end": {"{session}"}, "audio": set(PLACES)}
    for name, allowed in known.items():
        for key, value in (getattr(adapter, name) or {}).items():
            used = {place for place in PLACES if isinstance(value, str) and place in value}
            if used - allowed:
                where, problem = f"{path}, {name}.{key}", ", ".join(sorted(used - allowed))
                raise DataFileError(where, problem, ", ".join(sorted(allowed)))
    return adapter


def matches(message: Message, wanted: Message | None) -> bool:
    """Tell whether a message has all fields of another.

    >>> matches({"type": "status", "state": "ok"}, {"type": "status"})
    True
    >>> matches({"type": "status"}, {"type": "status", "state": "ok"}), matches({}, None)
    (False, False)
    """
    return wanted is not None and all(message.get(key) == value for key, value in wanted.items())


def _filled(template: Message, **values: str) -> str:
    """Encode a message with its placeholders filled in."""

    def filled(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for name, text in values.items():
            value = value.replace(f"{{{name}}}", text)
        return value

    return msgspec.json.encode({key: filled(value) for key, value in template.items()}).decode()
