"""Stops for ever, in each of the ways in which that can happen."""

import asyncio
import ctypes
import time
from typing import Literal

from harness.provider.resident import Session
from tests.stand_ins.moments import FaultyProvider, MomentSettings

FOR_EVER_S = 100_000


class HangsSettings(MomentSettings, frozen=True, kw_only=True):
    how: Literal["awaits", "blocks_thread", "blocks_loop", "keeps_lock"] = "awaits"


class Hangs(FaultyProvider):
    name = "hangs"
    Settings = HangsSettings
    settings: HangsSettings

    def fail(self) -> None:
        if self.settings.how == "keeps_lock":
            ctypes.PyDLL(None).sleep(FOR_EVER_S)  # no other thread of Python's runs any more
        time.sleep(FOR_EVER_S)

    async def afail(self, session: Session | None) -> None:
        if self.settings.how == "awaits":
            await asyncio.Event().wait()
        elif self.settings.how == "blocks_thread" and session is not None:
            await self.infer(session, None, 1.0, self.fail)
        else:
            self.fail()
