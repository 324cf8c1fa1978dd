"""WebSocket transport (`--transport ws`): whether the health sent to a client is true."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("wire_health_error")
def test_health(judged: Judged) -> None:
    judged.check()
