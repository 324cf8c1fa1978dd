"""Raises what no one expects."""

import asyncio
from typing import Literal

from harness.errors import AudioError, ModelError, UnavailableError
from tests.stand_ins.moments import FaultyProvider, MomentSettings

ERRORS: dict[str, BaseException] = {
    "plain": RuntimeError("the tensor has the wrong shape"),
    "model": ModelError("tiny.bin", "8 bytes", "a whole model"),
    "unavailable": UnavailableError("raises", "lacks a GPU", "a machine with one"),
    "audio": AudioError("chunk 2", "3 bytes", "whole samples"),
    "group": ExceptionGroup("two things", [ValueError("one"), KeyError("two")]),
    "timeout": TimeoutError("the engine's own"),
    "exit": SystemExit(3),
    "cancelled": asyncio.CancelledError("by nobody"),
    "huge": RuntimeError("x" * 5_000_000),
    "escapes": RuntimeError("\x1b[2J\x1b[31mred \ud800"),
}


class RaisesSettings(MomentSettings, frozen=True, kw_only=True):
    error: Literal[
        "plain", "model", "unavailable", "audio", "group", "timeout", "exit", "cancelled", "huge",
        "escapes",
    ] = "plain"  # fmt: skip


class Raises(FaultyProvider):
    name = "raises"
    Settings = RaisesSettings
    settings: RaisesSettings

    def fail(self) -> None:
        raise ERRORS[self.settings.error]
