"""Takes its whole process down."""

import os
import signal

from tests.stand_ins.moments import FaultyProvider, MomentSettings

LAST_WORDS = "GGML_ASSERT: n_dims <= 4"


class DiesSettings(MomentSettings, frozen=True, kw_only=True):
    signal: int = signal.SIGSEGV
    """0 leaves by exit instead, with status 7."""
    talks_bytes: int = 0
    """How much it writes to standard error just before."""


class Dies(FaultyProvider):
    name = "dies"
    Settings = DiesSettings
    settings: DiesSettings

    def fail(self) -> None:
        for _ in range(self.settings.talks_bytes // 1000):
            os.write(2, b"x" * 999 + b"\n")
        os.write(2, f"{LAST_WORDS}\n".encode())
        if self.settings.signal:
            os.kill(os.getpid(), self.settings.signal)
        os._exit(7)
