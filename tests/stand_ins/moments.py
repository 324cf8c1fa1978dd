"""When a faulty provider shows its fault."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Literal

from harness.contract import ASRHealth, ASRSegment, AudioSource, ProviderSettings, SessionConfig
from harness.provider.resident import Session
from tests.stand_ins.null import Null, is_probe

Moment = Literal["make", "load", "probe", "stream", "health", "stop"]


class MomentSettings(ProviderSettings, frozen=True, kw_only=True):
    at: Moment = "stream"
    chunk: int = 2
    """Which chunk of the trial it happens at, from 0, where it happens in the stream."""


class FaultyProvider(Null):
    """Calls `fail` at its moment; `afail` where there is a loop."""

    Settings = MomentSettings
    settings: MomentSettings

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._trial = False
        if self.settings.at == "make":
            self.fail()

    @abstractmethod
    def fail(self) -> None:
        """Show the fault, without a loop."""

    async def afail(self, session: Session | None) -> None:
        """Show the fault, on the loop; the same unless there is a difference."""
        self.fail()

    def load(self, config: SessionConfig) -> None:
        if self.settings.at == "load":
            self.fail()

    async def heard(
        self, session: Session, source: AudioSource | None, chunk: int
    ) -> AsyncIterator[ASRSegment]:
        self._trial = not is_probe(session)
        at_probe = self.settings.at == "probe" and not self._trial
        in_trial = self.settings.at == "stream" and self._trial and chunk == self.settings.chunk
        if at_probe or in_trial:
            await self.afail(session)
        async for segment in super().heard(session, source, chunk):
            yield segment

    async def health(self) -> ASRHealth:
        if self.settings.at == "health" and self._trial:
            await self.afail(self._session)
        return await super().health()

    async def stop_session(self, session_id: str) -> None:
        if self.settings.at == "stop" and self._trial:
            await self.afail(self._session)
        await super().stop_session(session_id)
