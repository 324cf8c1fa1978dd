"""Over the wire (`--transport ws`): is what a client is told about health true?"""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("wire_health_error")
def test_health(judged: Judged) -> None:
    judged.check()
